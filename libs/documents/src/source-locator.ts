import { countLineBreaks } from "./byte-spans.js";
import { encodedLength } from "./decode.js";
import type { SourceDocument } from "./source-document.js";
import type { TextSourceSpan } from "./source-span.js";

/** The part of a file that a span of its text comes from. */
export interface SourceLocation {
  /** First byte and the byte behind the last. */
  readonly startByte: number;
  readonly endByte: number;
  /** From 1. */
  readonly firstLine: number;
  readonly lastLine: number;
}

/**
 * Finds where spans of a document's text are in its file. Spans are best asked for in order: the time between two is that
 * of reading the text between them.
 */
export class SourceLocator {
  readonly #text: string;
  readonly #encoding: string;
  /** In the order of the text. */
  readonly #spans: readonly TextSourceSpan[];
  /** A position in a verbatim span of which the byte and line are known. */
  #known = { span: -1, offset: 0, byte: 0, line: 0 };

  constructor({ text, encoding, sourceSpans }: Pick<SourceDocument, "text" | "encoding" | "sourceSpans">) {
    this.#text = text;
    this.#encoding = encoding ?? "";
    this.#spans = sourceSpans
      .filter((span) => span.kind === "text")
      .sort((a, b) => a.textStart - b.textStart || a.textEnd - b.textEnd);
  }

  /**
   * Where `text.slice(start, end)` is: exact in what the file has letter by letter, else the spans around it whole.
   * @returns undefined when none of it has bytes, as in formats whose bytes are no text.
   */
  locate(start: number, end: number): SourceLocation | undefined {
    let location: SourceLocation | undefined;
    for (let i = this.#firstEndingBehind(start); i < this.#spans.length; i++) {
      const span = this.#spans[i] as TextSourceSpan;
      if (span.textStart >= end) break;
      const from = this.#position(i, span.verbatim ? Math.max(start, span.textStart) : span.textStart);
      const to = this.#position(i, Math.min(end, span.textEnd));
      const last = this.#text.charCodeAt(Math.min(end, span.textEnd) - 1);
      const lastLine = span.verbatim && (last === 10 || last === 13) ? Math.max(from.line, to.line - 1) : to.line;
      location = {
        startByte: Math.min(location?.startByte ?? Infinity, from.byte),
        endByte: Math.max(location?.endByte ?? 0, to.byte),
        firstLine: Math.min(location?.firstLine ?? Infinity, from.line),
        lastLine: Math.max(location?.lastLine ?? 0, lastLine),
      };
    }
    return location;
  }

  #firstEndingBehind(offset: number): number {
    let low = 0;
    let high = this.#spans.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#spans[middle] as TextSourceSpan).textEnd > offset) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  #position(index: number, offset: number): { byte: number; line: number } {
    const span = this.#spans[index] as TextSourceSpan;
    const { line = 1, textStart } = span;
    if (offset === textStart) return { byte: span.start, line };
    if (!span.verbatim) return { byte: span.end, line };
    if (this.#known.span !== index) this.#known = { span: index, offset: textStart, byte: span.start, line };
    const known = this.#known;
    const sign = offset < known.offset ? -1 : 1;
    const between = this.#text.slice(Math.min(offset, known.offset), Math.max(offset, known.offset));
    this.#known = {
      span: index,
      offset,
      byte: known.byte + sign * encodedLength(between, this.#encoding),
      line: known.line + sign * countLineBreaks(between),
    };
    return this.#known;
  }
}
