import { PostgreSQL } from "@codemirror/lang-sql";
import type { BlockBreak } from "../block.js";
import type { ParsedText } from "../source-document.js";

/**
 * SQL of any dialect, read by a grammar that takes what it does not know: one block that may be cut between statements.
 * Comments stay with what they stand above. The text stays as it is.
 */
export function parseSql(text: string): ParsedText {
  const start = text.length - text.trimStart().length;
  const end = text.trimEnd().length;
  if (start >= end) return { text, blocks: [], skippedCharacters: 0 };
  const breaks: BlockBreak[] = [];
  let isHeld = false;
  const cursor = PostgreSQL.language.parser.parse(text).cursor();
  for (let more = cursor.firstChild(); more; more = cursor.nextSibling()) {
    if (!isHeld && cursor.from > start) breaks.push({ at: cursor.from, level: 0 });
    isHeld = /Comment/.test(cursor.name) && !/^[^\S\n]*\n[^\S\n]*\n/.test(text.slice(cursor.to, cursor.to + 1000));
  }
  return { text, blocks: [{ kind: "code", language: "sql", start, end, breaks }], skippedCharacters: 0 };
}
