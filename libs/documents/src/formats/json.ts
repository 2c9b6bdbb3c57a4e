import { createScanner } from "jsonc-parser";
import type { BlockBreak } from "../block.js";
import { countLineBreaks } from "../byte-spans.js";
import { DocumentError } from "../document-error.js";
import type { ParsedText } from "../source-document.js";

/** Kinds of tokens, as jsonc-parser numbers them (its enum exists for the compiler alone). */
const kind = { openBrace: 1, closeBrace: 2, openBracket: 3, closeBracket: 4, comma: 5, unknown: 16, endOfFile: 17 };

/** Breaks closer than this to one as good help no chunk, and would take more memory than the text. */
const minDistance = 64;

/** JSON, with or without comments: one block that may be cut at properties and elements. The text stays as it is. */
export function parseJson(text: string): ParsedText {
  return parseValues(text, 0);
}

/** JSON Lines: one block that is best cut between its values. The text stays as it is. */
export function parseJsonLines(text: string): ParsedText {
  return parseValues(text, 1);
}

/**
 * Scans without recursion, for values may be nested deeper than the stack.
 * @param levelOffset Level of what stands in the outermost value.
 * @throws DocumentError for what is no JSON.
 */
function parseValues(text: string, levelOffset: number): ParsedText {
  const start = text.length - text.trimStart().length;
  const end = text.trimEnd().length;
  if (start >= end) return { text, blocks: [], skippedCharacters: 0 };
  const breaks: BlockBreak[] = [];
  const closers: number[] = [];
  const scanner = createScanner(text, true);
  let isElementDue = true;
  for (let token: number = scanner.scan(); token !== kind.endOfFile; token = scanner.scan()) {
    const at = scanner.getTokenOffset();
    if (token === kind.unknown || Number(scanner.getTokenError()) !== 0) throw invalid(text, at);
    if (token === kind.closeBrace || token === kind.closeBracket) {
      if (closers.pop() !== token) throw invalid(text, at);
      isElementDue = closers.length === 0;
      continue;
    }
    if (token === kind.comma) {
      if (closers.length === 0) throw invalid(text, at);
      isElementDue = true;
      continue;
    }
    if (isElementDue) addBreak(breaks, at, Math.max(0, closers.length - 1 + levelOffset), start);
    isElementDue = closers.length === 0 || token === kind.openBrace || token === kind.openBracket;
    if (token === kind.openBrace) closers.push(kind.closeBrace);
    else if (token === kind.openBracket) closers.push(kind.closeBracket);
  }
  if (closers.length > 0) throw invalid(text, end);
  return { text, blocks: [{ kind: "code", language: "json", start, end, breaks }], skippedCharacters: 0 };
}

function addBreak(breaks: BlockBreak[], at: number, level: number, start: number): void {
  const last = breaks.at(-1) ?? { at: start, level: -1 };
  if (at > start && (level < last.level || at - last.at >= minDistance)) breaks.push({ at, level });
}

function invalid(text: string, at: number): DocumentError {
  const line = countLineBreaks(text.slice(0, at)) + 1;
  return new DocumentError(
    "unparsable",
    `is no valid JSON at line ${line}; check that it is whole and that its name fits its kind`,
  );
}
