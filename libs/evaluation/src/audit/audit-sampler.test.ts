import fc from "fast-check";
import { expect, test } from "vitest";
import { type AuditChunk, AuditSampler, type Stratum } from "../index.js";

type Chunk = Omit<AuditChunk, "sections" | "stratum"> & Partial<AuditChunk & Stratum> & { headingText?: string };

function audit(chunks: readonly Chunk[], limit = 64) {
  const sampler = new AuditSampler({ limit });
  for (const { document = "a.md", contentType = "prose", headingText = "", ...chunk } of chunks)
    sampler.add({ sections: [[headingText]], stratum: () => ({ document, contentType }), ...chunk });
  return sampler.queries();
}

const onlyHeading = (headingText: string) => audit([{ row: 0, text: "", headingText }])[0]?.text;
const onlySentence = (text: string, headingText = "") =>
  audit([{ row: 0, text, headingText }]).find((q) => q.kind === "sentence")?.text;

test.each<[string, string | undefined]>([
  ["Pre-downloading Models (Offline Mode)", "Pre-downloading Models (Offline Mode)"],
  ["## Phase 1: `build` \\_document", "Phase 1: build _document"],
  ["PdfPipelineOptions", "PdfPipelineOptions"],
  ["[Table Extraction](#tables)", "Table Extraction"],
  ["安装指南", "安装指南"],
  ["Overview", undefined],
  ["Purpose and Scope", undefined],
  ["Table of contents", undefined],
  ["On this page", undefined],
  ["Linux", undefined],
  ["1.2", undefined],
  ["", undefined],
])("the heading %j makes the query %j", (heading, query) => {
  expect(onlyHeading(heading)).toBe(query);
});

test.each<[string, string, string | undefined]>([
  [
    "a paragraph after a heading",
    "## Caching\n\nThe pipeline keeps models in memory. More.",
    "The pipeline keeps models in memory.",
  ],
  [
    "a heading on the same line",
    "## Caching The pipeline keeps models in memory. More.",
    "The pipeline keeps models in memory.",
  ],
  [
    "a label before it",
    "**Figure 2: Flow** The pipeline keeps models in memory.",
    "The pipeline keeps models in memory.",
  ],
  [
    "Markdown",
    "The **pipeline** keeps [models](x.md) in `_memory_` always.",
    "The pipeline keeps models in _memory_ always.",
  ],
  [
    "an abbreviation",
    "The cache, e.g. Redis or files, holds models. Next.",
    "The cache, e.g. Redis or files, holds models.",
  ],
  [
    "code before it",
    "```\nlet there = be_code();\n```\n\nThe pipeline keeps models in memory.",
    "The pipeline keeps models in memory.",
  ],
  [
    "a heading path before it",
    "Guide > Caching\n\nThe pipeline keeps models in memory.",
    "The pipeline keeps models in memory.",
  ],
  ["Chinese", "模型下载后会缓存在本地。其余的。", "模型下载后会缓存在本地。"],
  [
    "Windows line ends",
    "# A\r\n\r\nThe pipeline keeps\r\nmodels in memory.\r\n",
    "The pipeline keeps models in memory.",
  ],
  ["a table", "| Option | What it does here now. |\n|---|---|\n| a | The thing that it does. |", undefined],
  ["a list", "- The first entry says something long.\n- The second.", undefined],
  ["a flattened list", "The steps are these: - Load the page content. - Save it.", undefined],
  ["mermaid", "```mermaid\ngraph TD\nA[The pipeline keeps models in memory.] --> B\n```", undefined],
  ["indented code", "    The pipeline keeps models in memory.", undefined],
  ["a collection of links", "[Loading the models](a) [Storing them](b) [Last](c).", undefined],
  ["a pointer elsewhere", "For the details of caching, see Caching.", undefined],
  ["a pronoun first", "It keeps all the models in memory.", undefined],
  ["few words", "Models stay here.", undefined],
  ["many words", `${"word ".repeat(41)}end.`, undefined],
  ["no end", "The pipeline keeps models in memory and", undefined],
])("a chunk with %s makes its sentence", (_, text, query) => {
  expect(onlySentence(text, "Caching")).toBe(query);
});

const chunks = (count: number): Chunk[] =>
  Array.from({ length: count }, (_, row) => ({
    row,
    headingText: `Heading of part ${row}`,
    text: `The part number ${row} is described here.`,
  }));

test("half of each kind, spread over the corpus, by row", () => {
  const queries = audit(chunks(1000));
  expect(queries.length).toBe(64);
  expect(queries.filter(({ kind }) => kind === "heading").length).toBe(32);
  expect(queries.map(({ row }) => row)).toEqual(queries.map(({ row }) => row).sort((a, b) => a - b));
  for (const [from, to] of [
    [0, 250],
    [250, 500],
    [500, 750],
    [750, 1000],
  ] as const) {
    expect(queries.filter(({ row }) => row >= from && row < to).length).toBeGreaterThan(5);
  }
});

test("one kind fills up where the other falls short", () => {
  const noHeadings = chunks(100).map((chunk) => ({ ...chunk, headingText: "Overview" }));
  const noSentences = chunks(100).map((chunk) => ({ ...chunk, text: "" }));
  expect(audit(noHeadings, 10).map(({ kind }) => kind)).toEqual(Array(10).fill("sentence"));
  expect(audit(noSentences, 10).map(({ kind }) => kind)).toEqual(Array(10).fill("heading"));
  expect(audit([])).toEqual([]);
});

test("the choice does not depend on the order of chunks", () => {
  const corpus = chunks(300);
  const expected = audit(corpus, 8);
  fc.assert(
    fc.property(fc.shuffledSubarray(corpus, { minLength: corpus.length }), (shuffled) => {
      expect(audit(shuffled, 8)).toEqual(expected);
    }),
    { numRuns: 20 },
  );
});

test("a text that occurs in several chunks is never a query, however far apart they are, and others take its place", () => {
  const repeated = chunks(600);
  const once = chunks(800).slice(600);
  const again = repeated.map(({ row, text, ...chunk }) => ({
    ...chunk,
    row: row + 10_000,
    text: `${text} Or not.`,
    document: "b.md",
  }));
  const queries = audit([...repeated, ...once, ...again], 8);
  expect(queries.map(({ kind }) => kind).sort()).toEqual([...Array(4).fill("heading"), ...Array(4).fill("sentence")]);
  for (const { row } of queries) expect(once.map((chunk) => chunk.row)).toContain(row);
});

test("a text that occurs in several chunks that are the same is a query", () => {
  const copies = chunks(4).map((chunk) => ({ ...chunk, row: chunk.row + 4, text: chunk.text.toUpperCase() }));
  expect(audit([...chunks(4), ...copies]).map(({ row }) => row)).toEqual([0, 0, 1, 1, 2, 2, 3, 3]);
});

test("a heading of one section is a query, however many chunks the section has; one of several sections is none", () => {
  const part = (row: number, section: string[], document = "a.md"): Chunk => ({
    row,
    text: `part ${row}`,
    document,
    sections: [section],
  });
  const guide = [part(0, ["Guide", "Zoom levels"]), part(1, ["Guide", "Zoom levels"])];
  expect(audit(guide).map(({ row, text }) => [row, text])).toEqual([[0, "Zoom levels"]]);
  expect(audit([...guide, part(2, ["Manual", "Zoom levels"])])).toEqual([]);
  expect(audit([...guide, part(2, ["Guide", "Zoom levels"], "b.md")])).toEqual([]);
});

test("a heading within a chunk of several sections asks for nothing there, but says that the heading is repeated", () => {
  const zoom = ["Guide", "Zoom levels"];
  const several = (row: number, ...sections: string[][]): Chunk => ({ row, text: `part ${row}`, sections });
  const start = several(0, ["Guide"], ["Guide", "Screens"], zoom);
  const rest = several(1, zoom);
  expect(audit([start])).toEqual([]);
  expect(audit([start, rest]).map(({ row, section }) => [row, section])).toEqual([[1, zoom]]);
  expect(audit([rest, start]).map(({ row }) => row)).toEqual([1]);
  expect(audit([start, several(1, ["Zoom levels"])])).toEqual([]);
});

test("every document is asked before one is asked twice, and content types alike", () => {
  // One document has nine tenths of the chunks; tables are there and in one other alone, and rare.
  const corpus = chunks(1000).map((chunk) => ({
    ...chunk,
    document: chunk.row < 900 ? "large.md" : `small-${chunk.row % 10}.md`,
    contentType: chunk.row % 20 === 0 ? "table" : "prose",
  }));
  const queries = audit(corpus, 22);
  const count = <Key>(of: (query: (typeof queries)[number]) => Key, key: Key) =>
    queries.filter((query) => of(query) === key).length;
  for (const document of new Set(corpus.map((chunk) => chunk.document)))
    expect(count((query) => query.document, document)).toBe(2);
  expect(count(({ contentType }) => contentType, "table")).toBeGreaterThanOrEqual(3);
  expect(count(({ kind }) => kind, "heading")).toBe(11);
});

test("a long text is searched at its beginning only, in bounded time", () => {
  const sentence = "The pipeline keeps models in memory.";
  expect(onlySentence(`${"- entry\n\n".repeat(300)}${sentence}`)).toBe(sentence);
  expect(onlySentence(`${"- entry\n\n".repeat(600)}${sentence}`)).toBeUndefined();
  // What takes more than linear time does not end before the test is given up.
  for (const unit of ["![", "[", "`", "*a", "<!--", "_", "a. ", "1) ", "\n", "# "]) {
    const text = `${unit.repeat(1_000_000)} end.`;
    audit([{ row: 0, text, headingText: text }]);
  }
});

test.each([0, -1, 2.5])("a limit of %s is refused", (limit) => {
  expect(() => new AuditSampler({ limit })).toThrow("limit");
});
