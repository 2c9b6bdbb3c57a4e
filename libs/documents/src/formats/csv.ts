import Papa from "papaparse";
import type { BlockBreak } from "../block.js";
import type { ParsedText } from "../source-document.js";

/** Rows of values with commas, semicolons, tabs or bars between, as RFC 4180 has them. The text stays as it is. */
export function parseCsv(text: string): ParsedText {
  return parseRows(text, "");
}

/** Rows of values with tabs between. The text stays as it is. */
export function parseTsv(text: string): ParsedText {
  return parseRows(text, "\t");
}

/** One table whose rows may be cut apart, its first row the header. @param delimiter "" to tell it from the first rows */
function parseRows(text: string, delimiter: string): ParsedText {
  const start = text.length - text.trimStart().length;
  const end = text.trimEnd().length;
  if (start >= end) return { text, blocks: [], skippedCharacters: 0 };
  const breaks: BlockBreak[] = [];
  Papa.parse<string[]>(text.slice(start, end), {
    delimiter,
    newline: text.includes("\n") ? "\n" : "\r",
    step: ({ meta: { cursor } }) => {
      if (start + cursor < end) breaks.push({ at: start + cursor, level: 0 });
    },
  });
  const headerEnd = breaks[0]?.at;
  const block = { kind: "table", start, end, breaks, ...(headerEnd !== undefined && { headerEnd }) } as const;
  return { text, blocks: [block], skippedCharacters: 0 };
}
