import type { Measure, Span } from "./span.js";

const graphemes = new Intl.Segmenter("en", { granularity: "grapheme" });
/** Enough behind a window's end to see whether its last grapheme goes on. */
const lookahead = 64;

/**
 * Splits a span by windows of at most `limit` tokens, the last resort. A window ends at white space, else between
 * graphemes. A grapheme is parted only where it is over the limit alone, and a code point never.
 */
export function splitWindows(
  text: string,
  start: number,
  end: number,
  limit: number,
  { index, maxLength }: Measure,
): Span[] {
  const spans: Span[] = [];
  for (let at = start; at < end; ) {
    const most = Math.min(end, at + maxLength);
    let to = index.tokens(at, most) <= limit ? most : index.reach(at, most, limit);
    if (to === at) to = most;
    else if (to < end && !isBorder(text, to)) to = borderBefore(text, at, to) ?? graphemeEnd(text, at, end, to).whole;
    to = behindSpace(text, to, end);
    let tokens = index.tokens(at, to);
    while (tokens > limit) {
      const fitting = at + Math.max(1, Math.floor(((to - at) * limit * 0.95) / tokens));
      const smaller = graphemeEnd(text, at, to, fitting).within;
      if (smaller >= to) break;
      to = smaller;
      tokens = index.tokens(at, to);
    }
    spans.push({ start: at, end: to, tokens });
    at = to;
  }
  return spans;
}

/** Behind the white space at an offset, as far as a window's white space may go. */
function behindSpace(text: string, at: number, end: number): number {
  const most = Math.min(end, at + lookahead);
  let to = at;
  while (to < most && isSpace(text.charCodeAt(to))) to++;
  return to;
}

/** Whether white space begins or ends at an offset. */
function isBorder(text: string, at: number): boolean {
  return isSpace(text.charCodeAt(at)) || isSpace(text.charCodeAt(at - 1));
}

/** The last border in the last quarter of a window. */
function borderBefore(text: string, at: number, to: number): number | undefined {
  for (let i = to; i > to - (to - at) / 4; i--) if (i > at && isSpace(text.charCodeAt(i - 1))) return i;
  return undefined;
}

/**
 * The last border between graphemes up to `to`. Where the first grapheme goes on behind `to`, `whole` is its end, and
 * `within` the last border between code points.
 */
function graphemeEnd(text: string, at: number, end: number, to: number): { whole: number; within: number } {
  if (to >= end) return { whole: end, within: end };
  if (to > at && isPlain(text.charCodeAt(to - 1)) && isPlain(text.charCodeAt(to))) return { whole: to, within: to };
  let best = at;
  for (const { index, segment } of graphemes.segment(text.slice(at, Math.min(end, to + lookahead)))) {
    const border = at + index + segment.length;
    if (border > to && best > at) break;
    if (border > to) return { whole: border, within: codePointEnd(text, at, end, to) };
    best = border;
  }
  return { whole: best, within: best };
}

function codePointEnd(text: string, at: number, end: number, to: number): number {
  const border = Math.max(at + 1, to);
  const splitsPair = isHighSurrogate(text.charCodeAt(border - 1)) && isLowSurrogate(text.charCodeAt(border));
  if (!splitsPair) return border;
  return border > at + 1 ? border - 1 : Math.min(end, border + 1);
}

/** Whether a character never joins a neighbour of the same kind: letters of ASCII, kana and Han. */
function isPlain(code: number): boolean {
  return (code >= 33 && code <= 126) || (code >= 0x3041 && code <= 0x3096) || (code >= 0x4e00 && code <= 0x9fff);
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
