import { type Block, type BlockKind, nextLineStart } from "@ragline/documents";

/** `text.slice(start, end)` and an upper estimate of its tokens, the tokenizer's special ones left out. */
export interface Span {
  readonly start: number;
  readonly end: number;
  readonly tokens: number;
}

/** What a text costs. Every character is counted a bounded number of times, for counting is the dear part of chunking. */
export interface Measure {
  /** Tokens of a text without the special ones. */
  readonly tokens: (text: string) => number;
  /** Longest span in UTF-16 code units; a tokenizer may make one token of any long word. */
  readonly maxLength: number;
}

type Cut = (text: string, start: number, end: number) => number[];

const sentences = new Intl.Segmenter("en", { granularity: "sentence" });
const graphemes = new Intl.Segmenter("en", { granularity: "grapheme" });
/** Enough behind a window's end to see whether its last grapheme goes on. */
const graphemeLookahead = 64;
const sentenceStretch = 4096;

const cutsOfKind: Record<BlockKind, readonly Cut[]> = {
  heading: [cutSentences, cutLines],
  paragraph: [cutSentences, cutLines],
  list: [cutLines, cutSentences],
  table: [cutLines, cutSentences],
  code: [cutLines],
  formula: [cutLines],
  caption: [cutSentences, cutLines],
  cell: [cutLines],
  pageBreak: [],
  html: [cutLines, cutSentences],
  frontmatter: [cutLines],
  thematic: [],
};

/**
 * Splits the tile `text.slice(block.start, end)` into spans of at most `limit` tokens that tile it again: at items, rows,
 * lines or sentences as its kind has them, and inside these by windows that end at white space or between graphemes.
 */
export function splitBlock(text: string, block: Block, end: number, limit: number, measure: Measure): Span[] {
  const { breaks } = block;
  const cutBreaks: Cut = () => (breaks ?? []).filter(({ level }) => level === 0).map(({ at }) => at);
  const cuts = breaks === undefined ? cutsOfKind[block.kind] : [cutBreaks, ...cutsOfKind[block.kind]];
  const spans: Span[] = [];

  const refine = (from: number, to: number, level: number) => {
    if (to - from <= measure.maxLength) {
      const tokens = measure.tokens(text.slice(from, to));
      if (tokens <= limit) {
        spans.push({ start: from, end: to, tokens });
        return;
      }
    }
    for (let next = level; next < cuts.length; next++) {
      const inner = (cuts[next]?.(text, from, to) ?? []).filter((at) => at > from && at < to);
      if (inner.length === 0) continue;
      let start = from;
      for (const at of [...inner, to]) {
        refine(start, at, next + 1);
        start = at;
      }
      return;
    }
    for (const window of splitWindows(text, from, to, limit, measure)) spans.push(window);
  };
  refine(block.start, end, 0);
  return spans;
}

/** Splits a span by windows of at most `limit` tokens, the last resort. A single code point is never split. */
export function splitWindows(text: string, start: number, end: number, limit: number, measure: Measure): Span[] {
  const spans: Span[] = [];
  let length = measure.maxLength;
  for (let at = start; at < end; ) {
    let windowEnd = windowBoundary(text, at, end, length);
    let tokens = measure.tokens(text.slice(at, windowEnd));
    while (tokens > limit && windowEnd > at + 1) {
      const fitting = Math.floor(((windowEnd - at) * limit * 0.95) / tokens);
      const smaller = windowBoundary(text, at, windowEnd, Math.max(1, fitting));
      if (smaller >= windowEnd) break;
      windowEnd = smaller;
      tokens = measure.tokens(text.slice(at, windowEnd));
    }
    spans.push({ start: at, end: windowEnd, tokens });
    // The next window starts from what this one could hold, so that it is right at once most of the time.
    const perToken = (windowEnd - at) / Math.max(1, tokens);
    length = Math.max(1, Math.min(measure.maxLength, Math.floor(perToken * limit * 0.95)));
    at = windowEnd;
  }
  return spans;
}

/** The best end of a window of at most `length`: behind white space, else between graphemes, else between code points. */
function windowBoundary(text: string, at: number, end: number, length: number): number {
  if (end - at <= length) return end;
  const limit = at + length;
  for (let i = limit; i > limit - length / 4; i--) if (isSpace(text.charCodeAt(i - 1))) return i;
  let best = at;
  for (const { index, segment } of graphemes.segment(text.slice(at, Math.min(end, limit + graphemeLookahead)))) {
    const boundary = at + index + segment.length;
    if (boundary > limit) break;
    best = boundary;
  }
  if (best > at) return best;
  const splitsPair = isHighSurrogate(text.charCodeAt(limit - 1)) && isLowSurrogate(text.charCodeAt(limit));
  if (!splitsPair) return limit;
  return length > 1 ? limit - 1 : limit + 1;
}

/** Where lines start, blank ones going with the next. */
function cutLines(text: string, start: number, end: number): number[] {
  const cuts: number[] = [];
  for (let line = start; line < end; ) {
    const next = nextLineStart(text, line, end);
    if (next < end && text.slice(line, next).trim() !== "") cuts.push(next);
    line = next;
  }
  return cuts;
}

/** Where sentences start. A line break inside a paragraph ends none. */
export function cutSentences(text: string, start: number, end: number): number[] {
  const cuts: number[] = [];
  // Segmenting takes time that grows with the square of the length, so it is done a stretch at a time; each stretch
  // begins where a sentence does, unless a sentence is longer than that.
  for (let at = start; at < end; ) {
    const to = Math.min(end, at + sentenceStretch);
    const oneLine = text.slice(at, to).replace(/[\r\n]/g, " ");
    let last = at;
    for (const { index } of sentences.segment(oneLine)) {
      last = at + index;
      if (index > 0) cuts.push(last);
    }
    at = to < end && last > at ? last : to;
  }
  return cuts;
}

function isSpace(code: number): boolean {
  return code === 32 || (code >= 9 && code <= 13) || code === 0x3000;
}

function isHighSurrogate(code: number): boolean {
  return code >= 0xd800 && code <= 0xdbff;
}

function isLowSurrogate(code: number): boolean {
  return code >= 0xdc00 && code <= 0xdfff;
}
