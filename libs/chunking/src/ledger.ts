import { type OmittedReason, type SourceDocument, SourceLocator, type TextSourceSpan } from "@ragline/documents";

/**
 * What became of a file, by reason: `core` is in exactly one chunk, `flagged` in one that was left out for its flags, `blank`
 * is white space, `oversized` what no chunk within the budget can hold (a code point of more tokens than the budget), the
 * others are what its reader left out.
 */
export type LedgerReason = "core" | "flagged" | "oversized" | OmittedReason;

/** Counts by reason; reasons without any are left out. */
export type LedgerCounts = Readonly<Partial<Record<LedgerReason, number>>>;

/** Where all of a document went. The counts of each part add up to the whole, or {@link buildLedger} throws. */
export interface Ledger {
  /** Size of the file. */
  readonly bytes: number;
  readonly byteCounts: LedgerCounts;
  /** Text that the file holds, in UTF-16 code units, with what its reader left out by rule. */
  readonly characters: number;
  readonly characterCounts: LedgerCounts;
}

/** A part of the text that is a chunk's core. */
export interface CoreSpan {
  readonly start: number;
  readonly end: number;
}

/** Spans or bytes that are accounted for twice, or not at all. */
export class LedgerError extends Error {
  override readonly name = "LedgerError";
}

/**
 * Accounts for every byte of a file and every character of its text.
 * @param cores Core spans of the document's chunks, in order.
 * @param flagged Those of chunks that are left out for their flags, in order.
 * @throws LedgerError when core spans overlap, are out of order or leave the text, or a count is off.
 */
export function buildLedger(
  document: SourceDocument,
  cores: readonly CoreSpan[],
  flagged: readonly CoreSpan[] = [],
): Ledger {
  const { text, sourceSpans, relativePath, skippedCharacters } = document;
  // Cores alone are left in their order, which is checked.
  const spans = flagged.length === 0 ? cores : [...cores, ...flagged].sort((a, b) => a.start - b.start);
  const parts = partsOf(text, spans, new Set(flagged), relativePath);
  const characterCounts = new Counts();
  for (const { reason, start, end } of parts) characterCounts.add(reason, end - start);
  characterCounts.add("skipped", skippedCharacters);
  const byteCounts = new Counts();
  for (const span of sourceSpans) if (span.kind !== "text") byteCounts.add(span.kind, span.end - span.start);
  const textSpans = sourceSpans.filter((span): span is TextSourceSpan => span.kind === "text");
  countBytes(textSpans, parts, new SourceLocator(document), byteCounts);
  byteCounts.check(document.bytes, `bytes of ${relativePath}`);
  characterCounts.check(text.length + skippedCharacters, `characters of ${relativePath}`);
  return {
    bytes: document.bytes,
    byteCounts: byteCounts.counts,
    characters: characterCounts.sum,
    characterCounts: characterCounts.counts,
  };
}

/** The ledgers of several files as one. */
export function sumLedgers(ledgers: Iterable<Ledger>): Ledger {
  const byteCounts = new Counts();
  const characterCounts = new Counts();
  for (const ledger of ledgers) {
    byteCounts.addAll(ledger.byteCounts);
    characterCounts.addAll(ledger.characterCounts);
  }
  return {
    bytes: byteCounts.sum,
    byteCounts: byteCounts.counts,
    characters: characterCounts.sum,
    characterCounts: characterCounts.counts,
  };
}

class Counts {
  counts: Partial<Record<LedgerReason, number>> = {};

  get sum(): number {
    return Object.values(this.counts).reduce((sum, count) => sum + count, 0);
  }

  add(reason: LedgerReason, count: number): void {
    if (count !== 0) this.counts[reason] = (this.counts[reason] ?? 0) + count;
  }

  addAll(counts: LedgerCounts): void {
    for (const [reason, count] of Object.entries(counts)) this.add(reason as LedgerReason, count);
  }

  check(expected: number, what: string): void {
    if (this.sum !== expected)
      throw new LedgerError(
        `the ledger has ${this.sum} ${what}, but there are ${expected}; this is a mistake in Ragline`,
      );
  }
}

/** A stretch of the text with one fate. Parts tile the text. */
interface Part extends CoreSpan {
  readonly reason: "core" | "flagged" | "blank" | "markup" | "oversized";
}

/** A part of the line below a table's header, which may be left out: see `longRule` of the context. */
const tableRule = /^[|:-]*-[|:-]*$|^\|$/;

function partsOf(text: string, spans: readonly CoreSpan[], flagged: ReadonlySet<CoreSpan>, where: string): Part[] {
  const parts: Part[] = [];
  let at = 0;
  for (const span of [...spans, { start: text.length, end: text.length }]) {
    const { start, end } = span;
    if (!(start >= at && end >= start && end <= text.length))
      throw new LedgerError(`${where}: the core from ${start} to ${end} overlaps another or leaves the text`);
    for (const { index, 0: run } of text.slice(at, start).matchAll(/\s+|\S+/g)) {
      const reason = run.trim() === "" ? "blank" : tableRule.test(run) ? "markup" : "oversized";
      parts.push({ reason, start: at + index, end: at + index + run.length });
    }
    if (end > start) parts.push({ reason: flagged.has(span) ? "flagged" : "core", start, end });
    at = end;
  }
  return parts;
}

/** Shares the bytes of each span of the file among the parts that its text is in. */
function countBytes(
  spans: readonly TextSourceSpan[],
  parts: readonly Part[],
  locator: SourceLocator,
  counts: Counts,
): void {
  let first = 0;
  for (const { start, end, textStart, textEnd, verbatim } of [...spans].sort((a, b) => a.textStart - b.textStart)) {
    while (first > 0 && (parts[first]?.start ?? 0) > textStart) first--;
    while (first < parts.length && (parts[first]?.end ?? 0) <= textStart) first++;
    let counted = 0;
    let fate: Part["reason"] = "blank";
    for (let i = first; i < parts.length; i++) {
      const part = parts[i] as Part;
      if (part.start >= textEnd) break;
      if (verbatim) {
        const found = locator.locate(Math.max(part.start, textStart), Math.min(part.end, textEnd));
        const bytes = found === undefined ? 0 : found.endByte - found.startByte;
        counts.add(part.reason, bytes);
        counted += bytes;
      } else if (fate === "blank") fate = part.reason;
    }
    // Where bytes and text differ, the bytes go with the first of their text that is not blank.
    if (!verbatim) counts.add(fate, end - start);
    else if (counted !== end - start) throw new LedgerError(`bytes ${start} to ${end} are not those of their text`);
  }
}
