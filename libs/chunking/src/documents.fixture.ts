import assert, { strictEqual as equal } from "node:assert";
import { DocumentError, parseDocument, type SourceDocument } from "@ragline/documents";
import fc from "fast-check";
import { type ChunkDocumentOptions, chunkDocument, type ScoredChunk } from "./index.js";

/** Two special tokens, one per started 4 letters of a word, one per other sign: much like a word piece tokenizer. */
export function countTokens(text: string): number {
  let tokens = 2;
  for (const [part] of text.matchAll(/[\p{L}\p{N}]+|[^\s]/gu)) tokens += Math.ceil(part.length / 4);
  return tokens;
}

/** A long word is one token and signs that are not printed none, as in BERT's own tokenizer. */
export function countWords(text: string): number {
  return 2 + (text.match(/[^\s\u200b]+/gu)?.length ?? 0);
}

/** Bytes and a surcharge for each break, so that the sum of parts is no bound of the whole. */
export function countBytes(text: string): number {
  return 3 + Math.ceil(Buffer.byteLength(text) / 2) + text.split("\n").length;
}

/** The document that a file of this name and text is read as; undefined when it holds no text. */
export async function read(text: string, name = "a/b.md"): Promise<SourceDocument | undefined> {
  try {
    return await parseDocument(name, Buffer.from(text));
  } catch (error) {
    if (error instanceof DocumentError) return undefined;
    throw error;
  }
}

/** A document with a text that no reader would give, such as one of halves of surrogate pairs. */
export function raw(text: string): SourceDocument {
  const bytes = Buffer.byteLength(text);
  return {
    relativePath: "a/b.txt",
    extension: ".txt",
    format: "text",
    encoding: "utf-8",
    text,
    blocks: text.trim() === "" ? [] : [{ kind: "paragraph", start: 0, end: text.length }],
    sourceSpans: [{ kind: "text", start: 0, end: bytes, textStart: 0, textEnd: text.length, verbatim: true }],
    skippedCharacters: 0,
    sha256: "00",
    bytes,
  };
}

/** Checks what must hold for any document, and returns the chunks. Plain assertions, since it runs for every chunk of thousands. */
export function checked(document: SourceDocument, options: ChunkDocumentOptions): ScoredChunk[] {
  const { chunks, ledger } = chunkDocument(document, options);
  const { text } = document;
  let at = 0;
  let core = 0;
  for (const [i, { text: chunkText, metadata }] of chunks.entries()) {
    const start = Number(metadata.start_char);
    const end = Number(metadata.end_char);
    const offset = Number(metadata.core_offset);
    assert(start >= at && end > start, `the core from ${start} to ${end} comes behind ${at} and holds something`);
    equal(text.slice(at, start).trim(), "", "nothing but white space is between cores");
    equal(chunkText.slice(offset, offset + end - start), text.slice(start, end), "the core is in the chunk's text");
    equal(metadata.token_count, options.countTokens(chunkText), "tokens are the model's own");
    assert(Number(metadata.token_count) <= options.maxTokens, "no chunk is over the budget");
    equal(metadata.chunk_index, i);
    core += end - start;
    at = end;
  }
  equal(text.slice(at).trim(), "", "nothing but white space is behind the last core");
  equal(new Set(chunks.map(({ metadata }) => metadata.content_id)).size, chunks.length, "content ids differ");
  equal(ledger.bytes, document.bytes);
  equal(sum(ledger.byteCounts), document.bytes, "every byte is counted once");
  equal(ledger.characters, text.length + document.skippedCharacters);
  equal(ledger.characterCounts.core ?? 0, core);
  equal(ledger.characterCounts.blank ?? 0, text.length - core);
  return chunks;
}

function sum(counts: Readonly<Record<string, number>>): number {
  return Object.values(counts).reduce((total, count) => total + count, 0);
}

export const words = fc.lorem({ maxCount: 25 });
const anyText = fc.oneof(
  fc.string({ unit: "binary", maxLength: 60 }),
  fc.array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 40 }).map((codes) => String.fromCharCode(...codes)),
  fc
    .constantFrom("👨‍👩‍👧‍👦", "e\u0301", "漢字", "\u200b", " ", "\t", "\u3000", "\r")
    .chain((unit) => fc.nat(200).map((n) => unit.repeat(n))),
);
const part = fc.oneof(
  { weight: 4, arbitrary: words },
  {
    weight: 3,
    arbitrary: fc
      .tuple(fc.integer({ min: 1, max: 6 }), fc.lorem({ maxCount: 5 }))
      .map(([depth, title]) => `${"#".repeat(depth)} ${title}`),
  },
  {
    weight: 2,
    arbitrary: fc
      .array(words, { minLength: 1, maxLength: 6 })
      .map((items) => items.map((item) => `- ${item}`).join("\n")),
  },
  {
    weight: 1,
    arbitrary: fc
      .array(words, { maxLength: 8 })
      .map((rows) => ["|a|b|", "|-|-|", ...rows.map((row) => `|${row}|1|`)].join("\n")),
  },
  { weight: 1, arbitrary: fc.array(words, { maxLength: 8 }).map((lines) => ["```", ...lines, "```"].join("\n")) },
  { weight: 1, arbitrary: fc.nat(800).map((n) => "x".repeat(n)) },
  { weight: 3, arbitrary: anyText },
);
/** Markdown of every kind of block, with any Unicode in between. */
export const source = fc
  .tuple(fc.array(part, { maxLength: 14 }), fc.constantFrom("\n", "\n\n", "\r\n\r\n", "\n   \n\n"))
  .map(([parts, separator]) => parts.join(separator));
