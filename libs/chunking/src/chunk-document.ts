import type { ChunkRecord } from "@ragline/artifacts";
import type { Block, SourceDocument } from "@ragline/documents";
import { type ChunkSpan, describeChunk } from "./chunk-metadata.js";
import type { ChunkDocumentOptions } from "./chunk-options.js";
import { type Group, Packer, type Piece, sectionOf } from "./packing.js";
import { cutSentences, type Measure, splitWindows } from "./spans.js";

/** Where the characters of a document went; `characters` = `core` + `blank` + `skipped`. In UTF-16 code units. */
export interface Coverage {
  /** Of the text, and of what its reader left out. */
  readonly characters: number;
  /** In the core span of exactly one chunk. */
  readonly core: number;
  /** White space between core spans. */
  readonly blank: number;
  /** Left out: scripts, styles and comments in HTML, and what no chunk within the budget could hold. */
  readonly skipped: number;
}

export interface ChunkedDocument {
  readonly chunks: ChunkRecord[];
  readonly coverage: Coverage;
}

const minTokens = 16;
/** Far above what language needs for a token (about 4.5), so that it only bounds blobs of which a tokenizer makes one. */
const maxCharactersPerToken = 8;

/**
 * Cuts a document into chunks along its structure. A chunk's core span is `document.text.slice(start_char, end_char)`, in
 * UTF-16 code units; every character is in one core span or counted as blank or skipped. The chunk's text ends with its
 * core; before it stand the titles above it ("Guide > Install"), a table's header where the core begins inside a table,
 * and the overlap. No text is over `maxTokens`. The same document and options give the same chunks.
 * @throws RangeError for a budget below 16 tokens or an overlap that is not below half of it.
 */
export function chunkDocument(document: SourceDocument, options: ChunkDocumentOptions): ChunkedDocument {
  const { maxTokens, overlapTokens = 0 } = options;
  if (!(Number.isInteger(maxTokens) && maxTokens >= minTokens)) {
    throw new RangeError(
      `a chunk size of ${maxTokens} tokens cannot be used; give a whole number of ${minTokens} or more`,
    );
  }
  if (!(Number.isInteger(overlapTokens) && overlapTokens >= 0 && overlapTokens * 2 < maxTokens)) {
    throw new RangeError(
      `an overlap of ${overlapTokens} tokens cannot be used; give a whole number below ${maxTokens / 2}`,
    );
  }
  const { text } = document;
  const spans = new Assembly(document, options).spans();
  const core = spans.reduce((sum, { start, end }) => sum + end - start, 0);
  const blank = countBlank(text, spans);
  return {
    chunks: spans.map((span, index) => describeChunk(document, span, index, options)),
    coverage: {
      characters: text.length + document.skippedCharacters,
      core,
      blank,
      skipped: text.length - core - blank + document.skippedCharacters,
    },
  };
}

/** Turns groups of pieces into chunks whose real token count is checked. */
class Assembly {
  readonly #text: string;
  readonly #blocks: readonly Block[];
  readonly #maxTokens: number;
  readonly #countTokens: (text: string) => number;
  readonly #specialTokens: number;
  readonly #overlapTokens: number;
  readonly #budget: number;
  readonly #measure: Measure;
  readonly #spans: ChunkSpan[] = [];

  constructor({ text, blocks }: SourceDocument, options: ChunkDocumentOptions) {
    const { maxTokens, countTokens, overlapTokens = 0 } = options;
    const specialTokens = countTokens("");
    this.#specialTokens = specialTokens;
    this.#text = text;
    this.#blocks = blocks;
    this.#maxTokens = maxTokens;
    this.#countTokens = countTokens;
    this.#overlapTokens = overlapTokens;
    this.#budget = maxTokens - specialTokens - overlapTokens;
    this.#measure = {
      tokens: (part) => Math.max(0, countTokens(part) - specialTokens),
      maxLength: maxTokens * maxCharactersPerToken,
    };
  }

  spans(): ChunkSpan[] {
    for (const group of new Packer(this.#text, this.#blocks, this.#budget, this.#measure).pack()) this.#emit(group);
    return this.#spans;
  }

  /** Adds the chunk of a group, or those of its parts where the estimate was too low. */
  #emit(group: Group): void {
    const [first] = group;
    const last = group.at(-1);
    const section = sectionOf(group);
    if (first === undefined || last === undefined || section === undefined) return;
    const { start, end } = trimmed(this.#text, first.start, last.end);
    if (start === end) return;
    const core = this.#text.slice(start, end);
    const span = { start, end, section, kinds: new Set(group.map(({ block }) => block.kind)) };
    const overlap = first.context.endsWith("\n\n") || first.context === "" ? this.#overlapBefore(start, span) : "";
    const isWholePiece = first === last && core.length === first.end - first.start;
    const coreTokens = isWholePiece ? first.tokens + this.#specialTokens : undefined;
    for (const before of new Set([first.context + overlap, first.context])) {
      if (this.#add({ ...span, text: before + core }, before === "" ? coreTokens : undefined)) return;
    }
    if (group.length > 1) {
      const middle = group.length >> 1;
      this.#emit(group.slice(0, middle));
      this.#emit(group.slice(middle));
    } else if (!this.#add({ ...span, text: core }, coreTokens)) this.#splitFurther(first);
  }

  /** @param known The tokens of the text where they were counted before. */
  #add(span: Omit<ChunkSpan, "tokens">, known?: number): boolean {
    const tokens = known ?? this.#countTokens(span.text);
    if (tokens > this.#maxTokens) return false;
    this.#spans.push({ ...span, tokens });
    return true;
  }

  #splitFurther(piece: Piece): void {
    const limit = Math.max(1, Math.min(piece.tokens - 1, Math.floor(this.#budget / 2)));
    const windows = splitWindows(this.#text, piece.start, piece.end, limit, {
      ...this.#measure,
      maxLength: Math.max(1, (piece.end - piece.start) >> 1),
    });
    // A code point that is over the budget by itself stays out of every chunk and is counted as skipped.
    if (windows.length === 1) return;
    for (const window of windows) this.#emit([{ ...piece, ...window }]);
  }

  /** The last sentences of the chunk before, up to the overlap, when it stands in the same section. */
  #overlapBefore(start: number, { section }: Pick<ChunkSpan, "section">): string {
    const previous = this.#spans.at(-1);
    if (this.#overlapTokens === 0 || previous === undefined || previous.section !== section) return "";
    const from = Math.max(previous.start, start - this.#measure.maxLength);
    let tokens = 0;
    let overlapStart = start;
    for (const at of [from, ...cutSentences(this.#text, from, start)].reverse()) {
      tokens += this.#measure.tokens(this.#text.slice(at, overlapStart));
      if (tokens > this.#overlapTokens) break;
      overlapStart = at;
    }
    return this.#text.slice(overlapStart, start);
  }
}

/** A span without the blank lines before it and the white space behind it; the first line keeps its indentation. */
function trimmed(text: string, start: number, end: number): { start: number; end: number } {
  const span = text.slice(start, end);
  const content = span.trimStart();
  if (content === "") return { start: end, end };
  const indentation = /[^\S\r\n]*$/.exec(span.slice(0, span.length - content.length))?.[0] ?? "";
  return { start: end - content.length - indentation.length, end: start + span.trimEnd().length };
}

function countBlank(text: string, spans: readonly ChunkSpan[]): number {
  let blank = 0;
  let at = 0;
  for (const { start, end } of [...spans, { start: text.length, end: text.length }]) {
    const gap = text.slice(at, start);
    blank += gap.length - gap.replace(/\s+/g, "").length;
    at = end;
  }
  return blank;
}
