import type { SourceSpan, TextSourceSpan } from "../source-span.js";

type Range = { readonly start: number; readonly end: number };

/**
 * Collects what became of a marked-up source, in UTF-16 code units of it: first what is written to the text, in any order,
 * then `spans` tiles the whole source, with what no one claimed as markup or blank.
 */
export class SourceTrace {
  readonly #source: string;
  readonly #texts: { start: number; end: number; textStart: number; textEnd: number; verbatim: boolean }[] = [];
  readonly #skipped: Range[] = [];

  constructor(source: string) {
    this.#source = source;
  }

  /**
   * The source span became `word`, which stands at `textStart`.
   * @param between What was written between the word before and this one; the two are one span where the source has the same.
   */
  addWord(start: number, end: number, textStart: number, word: string, between: string): void {
    const textEnd = textStart + word.length;
    const verbatim = this.#source.slice(start, end) === word;
    const previous = this.#texts.at(-1);
    const joins =
      previous?.verbatim &&
      verbatim &&
      previous.textEnd + between.length === textStart &&
      previous.end + between.length === start &&
      this.#source.slice(previous.end, start) === between;
    if (joins) {
      previous.end = end;
      previous.textEnd = textEnd;
    } else this.#texts.push({ start, end, textStart, textEnd, verbatim });
  }

  /** The source span as a whole became this part of the text. */
  addText(start: number, end: number, textStart: number, textEnd: number): void {
    if (start < end && textStart < textEnd) this.#texts.push({ start, end, textStart, textEnd, verbatim: false });
  }

  /** The text leaves this out by rule. */
  addSkipped(start: number, end: number): void {
    if (start < end) this.#skipped.push({ start, end });
  }

  spans(): SourceSpan[] {
    const spans: SourceSpan[] = [];
    const skipped = this.#skipped.sort((a, b) => a.start - b.start);
    const texts = this.#texts.sort((a, b) => a.start - b.start);
    let at = 0;
    let nextSkipped = 0;
    const fill = (to: number) => {
      while (at < to) {
        while ((skipped[nextSkipped]?.end ?? Infinity) <= at) nextSkipped++;
        const range = skipped[nextSkipped];
        const isSkipped = range !== undefined && range.start <= at;
        const end = Math.min(to, isSkipped ? range.end : (range?.start ?? to));
        const isBlank = this.#source.slice(at, end).trim() === "";
        spans.push({ kind: isBlank ? "blank" : isSkipped ? "skipped" : "markup", start: at, end });
        at = end;
      }
    };
    for (const text of texts) {
      // Where a parser moved text out of a table, its source may overlap others; what comes first keeps it.
      const start = Math.max(at, text.start);
      if (start >= text.end) continue;
      fill(start);
      const verbatim = text.verbatim && start === text.start;
      const span: TextSourceSpan = { kind: "text", ...text, start, verbatim };
      spans.push(span);
      at = span.end;
    }
    fill(this.#source.length);
    return spans;
  }
}
