import { parseHtml, parseMarkdown, parsePlainText, type SourceDocument } from "@ragline/documents";
import fc from "fast-check";
import { expect, test } from "vitest";
import { type ChunkDocumentOptions, chunkDocument } from "./index.js";

/** Two special tokens, one per started 4 letters of a word, one per other sign: much like a word piece tokenizer. */
function countTokens(text: string): number {
  let tokens = 2;
  for (const [part] of text.matchAll(/[\p{L}\p{N}]+|[^\s]/gu)) tokens += Math.ceil(part.length / 4);
  return tokens;
}

/** A long word is one token and signs that are not printed none, as in BERT's own tokenizer. */
function countWords(text: string): number {
  return 2 + (text.match(/[^\s\u200b]+/gu)?.length ?? 0);
}

/** Bytes and a surcharge for each break, so that the sum of parts is no bound of the whole. */
function countBytes(text: string): number {
  return 3 + Math.ceil(Buffer.byteLength(text) / 2) + text.split("\n").length;
}

function toDocument(text: string, parse = parseMarkdown): SourceDocument {
  return {
    relativePath: "a/b.md",
    extension: ".md",
    format: "markdown",
    sha256: "00",
    bytes: text.length,
    sourceSpans: [],
    ...parse(text),
  };
}

function chunk(text: string, options: Partial<ChunkDocumentOptions> = {}) {
  return chunkDocument(toDocument(text), { maxTokens: 32, countTokens, ...options });
}

function texts(text: string, options: Partial<ChunkDocumentOptions> = {}): string[] {
  return chunk(text, options).chunks.map((record) => record.text);
}

/** Checks what must hold for any document and returns the chunks. */
function checked(document: SourceDocument, options: ChunkDocumentOptions) {
  const { chunks, coverage } = chunkDocument(document, options);
  const { text } = document;
  let at = 0;
  let core = 0;
  for (const [i, { text: chunkText, metadata }] of chunks.entries()) {
    const [start, end] = [Number(metadata.start_char), Number(metadata.end_char)];
    expect(start).toBeGreaterThanOrEqual(at);
    expect(end).toBeGreaterThan(start);
    expect(text.slice(at, start).trim()).toBe("");
    expect(chunkText.endsWith(text.slice(start, end))).toBe(true);
    expect(metadata.token_count).toBe(options.countTokens(chunkText));
    expect(metadata.token_count).toBeLessThanOrEqual(options.maxTokens);
    expect(metadata.chunk_index).toBe(i);
    core += end - start;
    at = end;
  }
  expect(text.slice(at).trim()).toBe("");
  expect(coverage).toEqual({
    characters: text.length + document.skippedCharacters,
    core,
    blank: text.length - core,
    skipped: document.skippedCharacters,
  });
  return chunks;
}

const words = fc.lorem({ maxCount: 25 });
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
const source = fc
  .tuple(fc.array(part, { maxLength: 14 }), fc.constantFrom("\n", "\n\n", "\r\n\r\n", "\n   \n\n"))
  .map(([parts, separator]) => parts.join(separator));

test.each([
  ["Markdown", parseMarkdown],
  ["plain text", parsePlainText],
  ["HTML", parseHtml],
])("every character of %s is in one core span or counted, and no chunk is over the budget", (_, parse) => {
  fc.assert(
    fc.property(
      source,
      fc.integer({ min: 16, max: 120 }),
      fc.constantFrom(countTokens, countWords, countBytes),
      fc.integer({ min: 0, max: 7 }),
      (text, maxTokens, count, overlapTokens) => {
        const document = toDocument(text, parse);
        const options = { maxTokens, countTokens: count, overlapTokens };
        expect(checked(document, options)).toEqual(chunkDocument(document, options).chunks);
      },
    ),
    { numRuns: 300 },
  );
});

test("a code point that is over the budget is left out and counted", () => {
  const { chunks, coverage } = chunk("fine words\n\n\u{1f600}\n\nmore", {
    maxTokens: 16,
    countTokens: (text) => countTokens(text) + 40 * text.split("\u{1f600}").length - 40,
  });
  expect(chunks.map((record) => record.text)).toEqual(["fine words", "more"]);
  expect(coverage).toEqual({ characters: 20, core: 14, blank: 4, skipped: 2 });
});

test("a document that fits is one chunk", () => {
  expect(texts("# A\n\none\n\n## B\n\ntwo\n")).toEqual(["# A\n\none\n\n## B\n\ntwo"]);
});

test("sections that fit are chunks, with the titles above them", () => {
  const body = "word ".repeat(20).trim();
  expect(texts(`# A\n\n## B\n\n${body}\n\n## C\n\n${body}\n`)).toEqual([
    `# A\n\n## B\n\n${body}`,
    `A\n\n## C\n\n${body}`,
  ]);
});

test("small neighbours share a chunk; a heading stays with what follows", () => {
  const body = "word ".repeat(21).trim();
  const found = texts(`# A\n\ns\n\n## B\n\nt\n\n## C\n\n${body}\n\n## D\n\n### E\n\n${body}`);
  expect(found).toEqual([`# A\n\ns\n\n## B\n\nt`, `A\n\n## C\n\n${body}`, `A\n\n## D\n\n### E\n\n${body}`]);
});

test("a section over the budget goes on under its titles, cut at sentences", () => {
  const sentence = "Some words make a sentence that ends here. ";
  const found = texts(`# Guide\n\n## Use\n\n${sentence.repeat(6)}`);
  expect(found.length).toBeGreaterThan(1);
  for (const text of found.slice(1)) expect(text).toMatch(/^Guide > Use\n\nSome .* here\.$/);
});

test("a line break inside a paragraph ends no sentence", () => {
  const found = texts("One two three\nfour five six. Seven eight nine ten.\nEleven a b c d e f g h i j k l m n o", {
    maxTokens: 16,
  });
  expect(found[0]).toBe("One two three\nfour five six.");
});

test("a table over the budget is cut at rows and repeats its header", () => {
  const rows = Array.from({ length: 9 }, (_, i) => `|row ${i}|word word|`);
  const found = texts(["# T", "", "|name|value|", "|-|-|", ...rows].join("\n"), { maxTokens: 50 });
  expect(found.length).toBeGreaterThan(1);
  for (const text of found.slice(1)) expect(text).toMatch(/^T\n\n\|name\|value\|\n\|row \d/);
});

test("lists are cut at items and code at lines, which keep their indentation", () => {
  const items = Array.from({ length: 9 }, (_, i) => `- item ${i}\n  goes on here`);
  for (const text of texts(items.join("\n"))) expect(text).toMatch(/^- item[^]*here$/);
  const lines = Array.from({ length: 9 }, (_, i) => `  call(name${i})`);
  for (const text of texts(["```", ...lines, "```"].join("\n")).slice(1)) expect(text).toMatch(/^ {2}call/);
});

test("the overlap repeats whole sentences of the section", () => {
  const found = texts(
    "# H\n\nOne goes here now. Two goes here now. Three goes here now. Four goes here now. Five goes here now.",
    {
      maxTokens: 24,
      overlapTokens: 6,
    },
  );
  expect(found.length).toBeGreaterThan(1);
  for (const [i, text] of found.entries()) {
    if (i === 0) continue;
    const repeated = /^H\n\n(\w+ goes here now\. )/.exec(text)?.[1]?.trim() ?? "none";
    expect(found[i - 1]?.endsWith(repeated)).toBe(true);
  }
});

test("a window ends at white space, else between graphemes", () => {
  for (const text of texts("abcd ".repeat(100), { maxTokens: 16 })) expect(text).toMatch(/^(abcd ?)+$/);
  const family = "👨‍👩‍👧‍👦";
  for (const text of texts(family.repeat(40), { maxTokens: 20 })) expect(text.length % family.length).toBe(0);
});

test.each([
  ["a million letters", "x".repeat(1_000_000)],
  ["a million letters in sentences", "This is a sentence. ".repeat(50_000)],
  ["a million combining marks", `a${"\u0301".repeat(1_000_000)}`],
  ["a million surrogate halves", "\ud800".repeat(1_000_000)],
  ["a million line breaks", `a${"\n".repeat(1_000_000)}b`],
  ["a million spaces", `a${" ".repeat(1_000_000)}b`],
  ["100,000 headings", "# a\n".repeat(100_000)],
])("%s are chunked in time", (_, text) => {
  const start = performance.now();
  checked(toDocument(text), { maxTokens: 256, countTokens });
  expect(performance.now() - start).toBeLessThan(20_000);
});

test("the metadata names the chunk, where it stands and what is in it", () => {
  const [record] = chunk("# Guide\n\nuse it\n\n```json\n{}\n```\n", { collection: "docs", targetModel: "m" }).chunks;
  const metadata = record?.metadata ?? {};
  expect(metadata).toMatchObject({
    source_file: "a/b.md",
    filename: "b.md",
    file_extension: ".md",
    document_name: "b",
    relative_path: "a/b.md",
    section_path: ["Guide"],
    heading_text: "Guide",
    hierarchy_path: "Guide",
    start_char: 0,
    end_char: 31,
    char_count: 31,
    content_type: "code_block",
    content_flags: { has_code_block: true, has_table: false, has_list: false, has_json: true, has_formula: false },
    collection_hints: ["docs"],
    target_model: "m",
    payload_version: "1.3",
    sparse_features: {
      top_terms: ["guide", "use", "json"],
      term_weights: [{ term: "guide", tf: 1, weight: 0.333333 }, { term: "use" }, { term: "json" }],
      unique_terms: 3,
      total_terms: 3,
    },
    search_keywords: ["Guide", "guide", "use", "json"],
  });
  expect(metadata.chunk_id).toMatch(/^[0-9a-f]{12}-0000$/);
  expect(metadata.chunk_hash).toMatch(/^[0-9a-f]{16}$/);
});

test("ids come from the relative path and the bytes", () => {
  const document = toDocument("text");
  const id = (other: Partial<SourceDocument>) =>
    chunkDocument({ ...document, ...other }, { maxTokens: 32, countTokens }).chunks[0]?.metadata.document_id;
  expect(id({})).toBe(id({}));
  expect(id({ relativePath: "a/c.md" })).not.toBe(id({}));
  expect(id({ sha256: "01" })).not.toBe(id({}));
});

test.each([
  [{ maxTokens: 15 }, "a chunk size of 15 tokens"],
  [{ maxTokens: 20.5 }, "a chunk size of 20.5 tokens"],
  [{ overlapTokens: 16 }, "an overlap of 16 tokens"],
  [{ overlapTokens: -1 }, "an overlap of -1 tokens"],
])("%j is refused", (options, message) => {
  expect(() => chunk("x", options)).toThrow(message);
});
