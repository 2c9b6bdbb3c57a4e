import type { SourceDocument } from "@ragline/documents";
import { Assembly } from "./assembly.js";
import { describeChunks, type ScoredChunk } from "./chunk-metadata.js";
import type { ChunkDocumentOptions } from "./chunk-options.js";
import type { ChunkSpan } from "./chunk-span.js";
import { buildLedger, type Ledger } from "./ledger.js";
import { qualityScores } from "./quality-scores.js";
import { countTerms } from "./term-counts.js";
import { WordTokens } from "./token-index.js";

/** The chunks of a document, and what became of its bytes. */
export interface ChunkedDocument {
  readonly chunks: ScoredChunk[];
  readonly ledger: Ledger;
}

const minTokens = 16;
const maxOverlapSentences = 8;

/**
 * Cuts documents into chunks. A chunk's core span is `document.text.slice(start_char, end_char)`, in UTF-16 code units;
 * every byte of the file and every character of its text is in one core span, or counted by the reason why not. The core
 * stands in the chunk's text from `core_offset` on. Before it stand the titles down to its section ("Guide > Install"), the
 * overlap, and a table's header or the fence of code where the core begins inside; behind it the end of a fence. No text is
 * over `maxTokens`. The same document and options give the same chunks.
 */
export class Chunker {
  readonly #options: ChunkDocumentOptions;
  readonly #words: WordTokens;

  /** @throws RangeError for a budget below 16 tokens or an overlap above 8 sentences. */
  constructor(options: ChunkDocumentOptions) {
    const { maxTokens, overlapSentences = 0 } = options;
    if (!(Number.isInteger(maxTokens) && maxTokens >= minTokens)) {
      throw new RangeError(
        `a chunk size of ${maxTokens} tokens cannot be used; give a whole number of ${minTokens} or more`,
      );
    }
    if (!(Number.isInteger(overlapSentences) && overlapSentences >= 0 && overlapSentences <= maxOverlapSentences)) {
      throw new RangeError(
        `an overlap of ${overlapSentences} sentences cannot be used; give a whole number up to ${maxOverlapSentences}`,
      );
    }
    this.#options = options;
    this.#words = new WordTokens(options);
  }

  /**
   * @param turns Offsets at which the topic turns, for the strategy "semantic".
   * @throws LedgerError when a byte is accounted for twice or not at all, which would be a mistake of the chunker's.
   */
  chunk(document: SourceDocument, turns: readonly number[] = this.#options.turns ?? []): ChunkedDocument {
    const options = { ...this.#options, turns };
    const spans = new Assembly(document, this.#words, options).spans();
    const { kept, flagged } = this.#sorted(document.text, spans);
    return { chunks: describeChunks(document, kept, options), ledger: buildLedger(document, kept, flagged) };
  }

  #sorted(text: string, spans: readonly ChunkSpan[]): { kept: readonly ChunkSpan[]; flagged: readonly ChunkSpan[] } {
    const { skipFlagged = [], maxTokens } = this.#options;
    if (skipFlagged.length === 0) return { kept: spans, flagged: [] };
    const isFlagged = (span: ChunkSpan): boolean =>
      qualityScores(text, span, countTerms(span.text), maxTokens).flags.some((flag) => skipFlagged.includes(flag));
    const flagged = new Set(spans.filter(isFlagged));
    return { kept: spans.filter((span) => !flagged.has(span)), flagged: [...flagged] };
  }
}

/** Chunks one document; see {@link Chunker}, which knows the words of one document in the next. */
export function chunkDocument(document: SourceDocument, options: ChunkDocumentOptions): ChunkedDocument {
  return new Chunker(options).chunk(document);
}
