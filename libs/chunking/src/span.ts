import type { TokenIndex } from "./token-index.js";

/** `text.slice(start, end)`, and its tokens without special ones. */
export interface Span {
  readonly start: number;
  readonly end: number;
  readonly tokens: number;
}

/** What a span of the text costs. */
export interface Measure {
  readonly index: TokenIndex;
  /** Longest span in UTF-16 code units; a tokenizer may make one token of any long word. */
  readonly maxLength: number;
}
