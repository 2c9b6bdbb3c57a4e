import { type DecodedText, encodedLength } from "./decode.js";
import type { SourceSpan } from "./source-span.js";

/** Turns spans of the decoded source, in UTF-16 code units, into spans of the file's bytes with their lines. */
export function toByteSpans(spans: readonly SourceSpan[], { text, encoding, markBytes }: DecodedText): SourceSpan[] {
  const inBytes: SourceSpan[] = [];
  if (markBytes > 0) inBytes.push({ kind: "markup", start: 0, end: markBytes, line: 1 });
  let byte = markBytes;
  let line = 1;
  for (const span of spans) {
    const source = text.slice(span.start, span.end);
    const end = byte + encodedLength(source, encoding);
    inBytes.push({ ...span, start: byte, end, line });
    byte = end;
    line += countLineBreaks(source);
  }
  return inBytes;
}

/** Line breaks (LF, CR or CRLF) in a text. */
export function countLineBreaks(text: string): number {
  let count = 0;
  for (let i = text.indexOf("\n"); i >= 0; i = text.indexOf("\n", i + 1)) count++;
  for (let i = text.indexOf("\r"); i >= 0; i = text.indexOf("\r", i + 1)) if (text[i + 1] !== "\n") count++;
  return count;
}
