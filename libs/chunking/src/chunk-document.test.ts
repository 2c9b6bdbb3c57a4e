import type { SourceDocument } from "@ragline/documents";
import { expect, test } from "vitest";
import { countTokens, read } from "./documents.fixture.js";
import { type ChunkDocumentOptions, chunkDocument } from "./index.js";

async function document(text: string): Promise<SourceDocument> {
  const found = await read(text);
  if (found === undefined) throw new Error("the document holds no text");
  return found;
}

async function chunk(text: string, options: Partial<ChunkDocumentOptions> = {}) {
  return chunkDocument(await document(text), { maxTokens: 32, countTokens, ...options });
}

async function texts(text: string, options: Partial<ChunkDocumentOptions> = {}): Promise<string[]> {
  return (await chunk(text, options)).chunks.map((record) => record.text);
}

test("a code point that is over the budget is left out and counted", async () => {
  const { chunks, ledger } = await chunk("fine words\n\n\u{1f600}\n\nmore", {
    maxTokens: 16,
    countTokens: (text) => countTokens(text) + 40 * text.split("\u{1f600}").length - 40,
  });
  expect(chunks.map((record) => record.text)).toEqual(["fine words", "more"]);
  expect(ledger.characterCounts).toEqual({ core: 14, blank: 4, oversized: 2 });
  expect(ledger.byteCounts).toEqual({ core: 14, blank: 4, oversized: 4 });
});

test("a document that fits is one chunk", async () => {
  expect(await texts("# A\n\none\n\n## B\n\ntwo\n")).toEqual(["# A\n\none\n\n## B\n\ntwo"]);
});

test("sections that fit are chunks, with the titles down to them", async () => {
  const body = "word ".repeat(20).trim();
  expect(await texts(`# A\n\n## B\n\n${body}\n\n## C\n\n${body}\n`)).toEqual([
    `A > B\n\n# A\n\n## B\n\n${body}`,
    `A > C\n\n## C\n\n${body}`,
  ]);
});

test("small neighbours share a chunk; a heading stays with what follows", async () => {
  const body = "word ".repeat(21).trim();
  const found = await texts(`# A\n\ns\n\n## B\n\nt\n\n## C\n\n${body}\n\n## D\n\n### E\n\n${body}`);
  expect(found).toEqual([
    `# A\n\ns\n\n## B\n\nt`,
    `A > C\n\n## C\n\n${body}`,
    // No room for the titles down to E.
    `A\n\n## D\n\n### E\n\n${body}`,
  ]);
});

test("a chunk stands in the section that its body is of, whatever headings lead to it, or in the one around several", async () => {
  const body = "word ".repeat(21).trim();
  const paths = async (text: string) => (await chunk(text)).chunks.map(({ metadata }) => metadata.section_path);
  expect(await paths(`# A\n\n## B\n\n### C\n\n${body}\n\n${body}`)).toEqual([
    ["A", "B", "C"],
    ["A", "B", "C"],
  ]);
  expect(await paths(`# A\n\ns\n\n## B\n\nt\n\n## C\n\n${body}\n\n## D\n`)).toEqual([["A"], ["A"]]);
});

test("chunks with one of the flags are left out, counted, and named nowhere", async () => {
  const body = "word ".repeat(21).trim();
  const links = "- [One](a.md)\n- [Two](b.md)\n- [Six](c.md)";
  const text = `# A\n\n${links}\n\n## B\n\n${body}\n\n## C\n\n${body}`;
  const all = await chunk(text);
  expect(all.chunks.map(({ metadata }) => metadata.quality_flags)).toEqual([
    ["few_terms", "links"],
    ["repetitive"],
    ["repetitive"],
  ]);
  const { chunks, ledger } = await chunk(text, { skipFlagged: ["links", "cut"] });
  expect(chunks.map((record) => record.text)).toEqual(all.chunks.slice(1).map((record) => record.text));
  const [first] = chunks;
  expect(chunks.map(({ metadata }) => [metadata.chunk_index, metadata.parent_chunk_id])).toEqual([
    [0, null],
    [1, first?.metadata.chunk_id],
  ]);
  const { core = 0, blank = 0, flagged = 0, ...others } = ledger.characterCounts;
  expect([core + blank + flagged, flagged, others]).toEqual([text.length, `# A\n\n${links}`.length, {}]);
  expect((await chunk(text, { skipFlagged: ["repetitive"] })).chunks).toHaveLength(1);
});

test("a section over the budget goes on under its titles, cut at sentences", async () => {
  const sentence = "Some words make a sentence that ends here. ";
  const found = await texts(`# Guide\n\n## Use\n\n${sentence.repeat(6)}`);
  expect(found.length).toBeGreaterThan(1);
  for (const text of found.slice(1)) expect(text).toMatch(/^Guide > Use\n\nSome .* here\.$/);
});

test("a line break inside a paragraph ends no sentence", async () => {
  const found = await texts(
    "One two three\nfour five six. Seven eight nine ten.\nEleven a b c d e f g h i j k l m n o",
    {
      maxTokens: 16,
    },
  );
  expect(found[0]).toBe("One two three\nfour five six.");
});

test("a table over the budget is cut at rows and repeats its header", async () => {
  const rows = Array.from({ length: 9 }, (_, i) => `|row ${i}|word word|`);
  const found = await texts(["# T", "", "|name|value|", "|-|-|", ...rows].join("\n"), { maxTokens: 50 });
  expect(found.length).toBeGreaterThan(1);
  for (const text of found.slice(1)) expect(text).toMatch(/^T\n\n\|name\|value\|\n\|-\|-\|\n\|row \d/);
});

test("the rule of a table is left out and counted where its dashes would fill a chunk", async () => {
  const rule = `|${"-".repeat(90)}|${"-".repeat(90)}|`;
  const rows = Array.from({ length: 9 }, (_, i) => `|row ${i}|word word|`);
  const { chunks, ledger } = await chunk(["# T", "", "|name|value|", rule, ...rows].join("\n"), { maxTokens: 50 });
  for (const { text } of chunks.slice(1)) expect(text).toMatch(/^T\n\n\|name\|value\|\n\|-\|-\|\n\|row \d/);
  expect(chunks.map(({ text }) => text).join("")).not.toContain("----");
  expect(ledger.byteCounts).toMatchObject({ markup: rule.length });
});

test("lists are cut at items and code at lines, which keep their indentation and stand in fences", async () => {
  const items = Array.from({ length: 9 }, (_, i) => `- item ${i}\n  goes on here`);
  for (const text of await texts(items.join("\n"))) expect(text).toMatch(/^- item[^]*here$/);
  const lines = Array.from({ length: 9 }, (_, i) => `  call(name${i})`);
  const found = await texts(["~~~js", ...lines, "~~~"].join("\n"));
  expect(found.length).toBeGreaterThan(1);
  for (const text of found) expect(text).toMatch(/^~~~js\n(?: {2}call\(name\d\)\n)+~~~$/);
});

test("code is cut between statements before it is cut between lines", async () => {
  const lines = [
    "def first():",
    "    return 1",
    "def second():",
    "    value = 2",
    "    return value",
    "def third():",
    "    pass",
  ];
  const text = lines.join("\n");
  const breaks = [
    { at: text.indexOf("def second"), level: 0 },
    { at: text.indexOf("    return value"), level: 1 },
    { at: text.indexOf("def third"), level: 0 },
  ];
  const code = { ...(await document(text)), blocks: [{ kind: "code" as const, start: 0, end: text.length, breaks }] };
  const { chunks } = chunkDocument(code, { maxTokens: 18, countTokens });
  expect(chunks.map((record) => record.text.split("\n")[0])).toEqual(["def first():", "def second():", "def third():"]);
});

test("the overlap repeats whole sentences of the section", async () => {
  const found = await texts(
    "# H\n\nOne goes here now. Two goes here now. Three goes here now. Four goes here now. Five goes here now.",
    {
      maxTokens: 24,
      overlapSentences: 1,
    },
  );
  expect(found.length).toBeGreaterThan(1);
  for (const [i, text] of found.entries()) {
    if (i === 0) continue;
    const repeated = /^H\n\n(\w+ goes here now\. )/.exec(text)?.[1]?.trim() ?? "none";
    expect(found[i - 1]?.endsWith(repeated)).toBe(true);
  }
});

test("a window ends at white space, else between graphemes", async () => {
  for (const text of await texts("abcd ".repeat(100), { maxTokens: 16 })) expect(text).toMatch(/^(abcd ?)+$/);
  const family = "👨‍👩‍👧‍👦";
  for (const text of await texts(family.repeat(40), { maxTokens: 20 })) expect(text.length % family.length).toBe(0);
});

test("the metadata names the chunk, where it stands and what is in it", async () => {
  const { chunks } = await chunk("# Guide\n\nuse it\n\n```json\n{}\n```\n", { collection: "docs", targetModel: "m" });
  const [record] = chunks;
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

test.each([
  ["- [Install](install.md)\n- [Use it](use.md#first)\n- https://example.org/a/b", true],
  ["See [the guide](install.md) before you use it for the first time, or ask whoever did.", false],
])("a chunk of links is flagged: %j is %s", async (text, isFlagged) => {
  const { chunks } = await chunk(text, { maxTokens: 64 });
  const flags = chunks.flatMap(({ metadata }) => metadata["quality_flags"]);
  expect(flags.includes("links")).toBe(isFlagged);
});

test("ids come from the relative path and the bytes", async () => {
  const plain = await document("text");
  const id = (other: Partial<SourceDocument>) =>
    chunkDocument({ ...plain, ...other }, { maxTokens: 32, countTokens }).chunks[0]?.metadata.document_id;
  expect(id({})).toBe(id({}));
  expect(id({ relativePath: "a/c.md" })).not.toBe(id({}));
  expect(id({ sha256: "01" })).not.toBe(id({}));
});

test.each([
  [{ maxTokens: 15 }, "a chunk size of 15 tokens"],
  [{ maxTokens: 20.5 }, "a chunk size of 20.5 tokens"],
  [{ overlapSentences: 9 }, "an overlap of 9 sentences"],
  [{ overlapSentences: -1 }, "an overlap of -1 sentences"],
])("%j is refused", async (options, message) => {
  await expect(chunk("x", options)).rejects.toThrow(message);
});
