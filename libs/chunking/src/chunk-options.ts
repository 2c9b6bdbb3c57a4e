import type { QualityFlag } from "./quality-scores.js";
import type { TokenCounter } from "./token-index.js";

/**
 * How documents are cut: `structure` along sections, blocks and sentences; `window` into runs of as many words as fit,
 * whatever they are; `semantic` like structure, and wherever the topic turns.
 */
export const chunkStrategies = ["structure", "window", "semantic"] as const;
/** How a document is cut. */
export type ChunkStrategy = (typeof chunkStrategies)[number];

/** How one document is chunked. */
export interface ChunkDocumentOptions extends TokenCounter {
  /** Tokens that a chunk's text may have at most, special ones and prefix included; at least 16. */
  maxTokens: number;
  /** Sentences of the previous chunk's end to repeat in front of a chunk of the same section, where there is room. @default 0 */
  overlapSentences?: number;
  /** @default "structure" */
  strategy?: ChunkStrategy;
  /** Leaves chunks with one of these flags out; the ledger counts them as `flagged`. @default none */
  skipFlagged?: readonly QualityFlag[];
  /** Offsets in the text, in order, at which the topic turns: a chunk begins there in any case. @default none */
  turns?: readonly number[];
  /** Name of the collection, kept in `collection_hints`. @default none */
  collection?: string;
  /** Name of the model whose tokens are counted, kept in `target_model`. @default none */
  targetModel?: string;
}
