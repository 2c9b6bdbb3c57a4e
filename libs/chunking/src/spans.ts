import { type Block, type BlockKind, nextLineStart } from "@ragline/documents";
import { cutSentences } from "./sentences.js";
import type { Measure, Span } from "./span.js";
import { splitWindows } from "./windows.js";

/** A span of a block, and how good a place its start is to cut the text at. */
export interface RankedSpan extends Span {
  /** 0 where the block starts, 1 and up for ever finer borders inside it, `windowRank` where nothing but a window ends. */
  readonly rank: number;
}

/** The rank of a border that is none: it may be inside a sentence, a row or a word. */
export const windowRank = 1000;
/** Deeper levels are cut as one; far above what people write, and a bound for what nobody did. */
const maxLevels = 64;

/** How large the parts of a block may be, in tokens. */
export interface SpanLimits {
  /** What fits beside its context. */
  readonly limit: number;
  /** What fits with less context: up to that a row, a statement or a sentence stays whole. @default `limit` */
  readonly wholeLimit?: number;
}

type Cut = (text: string, start: number, end: number) => readonly number[];

const cutsOfKind: Record<BlockKind, readonly Cut[]> = {
  heading: [cutSentences, cutLines],
  paragraph: [cutSentences, cutLines],
  list: [cutLines, cutSentences],
  table: [cutLines, cutCells, cutSentences],
  code: [cutLines],
  formula: [cutLines],
  caption: [cutSentences, cutLines],
  cell: [cutLines, cutSentences],
  pageBreak: [],
  html: [cutLines, cutSentences],
  frontmatter: [cutLines],
  thematic: [],
};

/** How many of the cuts of a block leave rows and statements whole. */
function wholeCuts(kind: BlockKind, levels: number): number {
  if (kind === "table") return levels + 1;
  return kind === "code" && levels > 0 ? levels : levels + cutsOfKind[kind].length;
}

/**
 * Splits the tile `text.slice(block.start, end)` into spans of at most `limit` tokens that tile it again: where the topic
 * turns, at the block's own breaks, then at rows, lines or sentences as its kind has them, and inside these by windows.
 * @param turns Offsets to cut at whatever the tokens, in order.
 */
export function splitBlock(
  text: string,
  block: Block,
  end: number,
  { limit, wholeLimit = limit }: SpanLimits,
  { index, maxLength }: Measure,
  turns: readonly number[] = [],
): RankedSpan[] {
  const levels = breakLevels(block);
  const firstInside = wholeCuts(block.kind, levels.length);
  const cuts = [
    ...levels.map(
      (offsets): Cut =>
        (_, from, to) =>
          within(offsets, from, to),
    ),
    ...cutsOfKind[block.kind],
  ];
  const spans: RankedSpan[] = [];

  const refine = (from: number, to: number, level: number, rank: number): void => {
    const tokens = to - from <= maxLength ? index.tokens(from, to) : Infinity;
    const keep = (): void => {
      spans.push({ start: from, end: to, tokens, rank });
    };
    if (tokens <= limit) {
      keep();
      return;
    }
    for (let next = level; next < cuts.length; next++) {
      if (next >= firstInside && tokens <= wholeLimit) break;
      const inner = (cuts[next]?.(text, from, to) ?? []).filter((at) => at > from && at < to);
      if (inner.length === 0) continue;
      let start = from;
      for (const at of [...inner, to]) {
        refine(start, at, next + 1, start === from ? rank : next + 1);
        start = at;
      }
      return;
    }
    if (tokens <= wholeLimit) {
      keep();
      return;
    }
    for (const window of splitWindows(text, from, to, limit, { index, maxLength })) {
      spans.push({ ...window, rank: window.start === from ? rank : windowRank });
    }
  };
  let from = block.start;
  for (const to of [...within(turns, block.start, end), end]) {
    refine(from, to, 0, from === block.start ? 0 : 1);
    from = to;
  }
  return spans;
}

/** The offsets of a block's breaks by level, the best first. */
function breakLevels({ breaks = [] }: Block): number[][] {
  const levels: number[][] = [];
  for (const { at, level } of breaks) {
    const position = Math.min(level, maxLevels - 1);
    levels[position] ??= [];
    levels[position].push(at);
  }
  return levels.filter((offsets) => offsets !== undefined);
}

/** Those of sorted offsets that are inside a span. */
function within(offsets: readonly number[], start: number, end: number): readonly number[] {
  return offsets.slice(firstAbove(offsets, start), firstAbove(offsets, end - 1));
}

/** The position of the first of sorted offsets that is above one. */
function firstAbove(offsets: readonly number[], offset: number): number {
  let low = 0;
  let high = offsets.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((offsets[middle] ?? 0) > offset) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** Where lines start, blank ones going with the next, and the last ones with the line before. */
function cutLines(text: string, start: number, end: number): number[] {
  const cuts: number[] = [];
  let behindWords = -1;
  for (let line = start; line < end; ) {
    const next = nextLineStart(text, line, end);
    if (text.slice(line, next).trim() !== "") {
      if (behindWords >= 0) cuts.push(behindWords);
      behindWords = next;
    }
    line = next;
  }
  return cuts;
}

/** Where the cells of a row start: at bars without a backslash before them, and at tabs. */
function cutCells(text: string, start: number, end: number): number[] {
  const cuts: number[] = [];
  for (let i = start + 1; i < end; i++) {
    const sign = text[i];
    if ((sign === "|" && text[i - 1] !== "\\") || sign === "\t") cuts.push(i);
  }
  return cuts;
}
