import type { DocumentErrorReason, FoundDocument } from "@ragline/documents";
import type { ChunkStrategy } from "./chunk-options.js";
import type { Ledger } from "./ledger.js";
import type { QualityFlag } from "./quality-scores.js";
import type { SerializedChunk } from "./serialized-chunk.js";

/** What a chunk worker is started with. */
export interface WorkerOptions {
  /** The `tokenizer.json` of the model whose tokens count. */
  readonly tokenizerPath: string;
  /** What that model has in front of each passage. @default "" */
  readonly prefix?: string;
  readonly maxTokens: number;
  /** @default 0 */
  readonly overlapSentences?: number;
  /** @default "structure" */
  readonly strategy?: ChunkStrategy;
  /** @default none */
  readonly skipFlagged?: readonly QualityFlag[];
  /** @default none */
  readonly collection?: string;
  /** @default none */
  readonly targetModel?: string;
  /** Limits on what is read. @default those of the reader */
  readonly reading?: { readonly maxBytes?: number; readonly timeoutMs?: number; readonly memoryBytes?: number };
}

/** What a chunk worker is asked: a document to chunk, more chunks of it, or to go on with vectors that it asked for. */
export type WorkerRequest =
  | { readonly type: "document"; readonly document: FoundDocument }
  | { readonly type: "more" }
  | { readonly type: "vectors"; readonly vectors: Float32Array; readonly columns: number };

/** What a chunk worker says: chunks, the end of its document, or texts that it needs the vectors of. */
export type WorkerReply =
  | { readonly type: "chunks"; readonly chunks: readonly SerializedChunk[] }
  | { readonly type: "done"; readonly sha256: string; readonly encoding?: string; readonly ledger: Ledger }
  | { readonly type: "skipped"; readonly reason: DocumentErrorReason; readonly message: string }
  | { readonly type: "failed"; readonly message: string }
  | { readonly type: "embed"; readonly texts: readonly string[] };
