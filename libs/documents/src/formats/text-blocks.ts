import type { Block } from "../block.js";
import type { ParsedText } from "../source-document.js";

/** Plain text: paragraphs between blank lines. The text stays as it is. */
export function parsePlainText(text: string): ParsedText {
  return { text, blocks: paragraphs(text, 0, text.length), skippedCharacters: 0 };
}

/** The runs of lines that are not blank in `text.slice(from, to)`, without the white space around them. */
export function paragraphs(text: string, from: number, to: number): Block[] {
  const blocks: Block[] = [];
  let start = -1;
  let end = -1;
  for (let line = from; line < to; ) {
    const next = nextLineStart(text, line, to);
    const words = text.slice(line, next).trimEnd();
    if (words !== "") {
      if (start < 0) start = line;
      end = line + words.length;
    } else if (start >= 0) {
      blocks.push({ kind: "paragraph", start, end });
      start = -1;
    }
    line = next;
  }
  if (start >= 0) blocks.push({ kind: "paragraph", start, end });
  return blocks;
}

/** The offset behind the next line break (LF, CR or CRLF) at or after `at`, or `to` where there is none. */
export function nextLineStart(text: string, at: number, to: number): number {
  for (let i = at; i < to; i++) {
    const code = text.charCodeAt(i);
    if (code === 10) return i + 1;
    if (code === 13) return i + 1 < to && text.charCodeAt(i + 1) === 10 ? i + 2 : i + 1;
  }
  return to;
}
