import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import expected from "../fixtures/expected.json" with { type: "json" };
import { type BlockKind, parseDocument, type SourceDocument, supportedExtensions } from "./index.js";

const folder = new URL("../fixtures/", import.meta.url);

async function read(name: string): Promise<SourceDocument> {
  return parseDocument(name, await readFile(new URL(name, folder)));
}

/** How often words stand in a text, however its lines break. */
function count(text: string, words: string): number {
  const pattern = words.split(/\s+/).map((word) => word.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&"));
  return text.match(new RegExp(`(?<![\\p{L}\\p{N}])${pattern.join("\\s+")}(?![\\p{L}\\p{N}])`, "gu"))?.length ?? 0;
}

const names = Object.entries(expected).filter(([name]) =>
  supportedExtensions.some((extension) => name.endsWith(extension)),
);

test.each(names)("every sentence that went into %s comes out once", async (name, sentences) => {
  const { text, blocks, sourceSpans, bytes } = await read(name);
  const counts = Object.fromEntries(sentences.map((sentence) => [sentence, count(text, sentence)]));
  expect(counts).toEqual(Object.fromEntries(sentences.map((sentence) => [sentence, 1])));
  let at = 0;
  for (const { start, end } of blocks) {
    expect(text.slice(at, start).trim()).toBe("");
    expect(end).toBeGreaterThan(start);
    at = end;
  }
  expect(text.slice(at).trim()).toBe("");
  expect(sourceSpans[0]?.start).toBe(0);
  expect(sourceSpans.at(-1)?.end).toBe(bytes);
});

function texts({ text, blocks }: SourceDocument, kind: BlockKind): string[] {
  return blocks.filter((block) => block.kind === kind).map(({ start, end }) => text.slice(start, end));
}

const sections = ["Keeping the light", "Reading the weather", "Größen und Maße"];

test.each([
  ["pandoc.docx", ["The lighthouse handbook", ...sections, "Stores"]],
  ["python-docx.docx", ["The lighthouse handbook", ...sections]],
  ["libreoffice.docx", ["The lighthouse handbook", ...sections, "Stores"]],
  ["python-pptx.pptx", ["The lighthouse handbook", ...sections, "Signals"]],
  ["libreoffice.pptx", ["The lighthouse handbook", ...sections, "Signals"]],
  ["libreoffice.pdf", ["The lighthouse handbook", ...sections, "Stores"]],
  ["reportlab.pdf", ["The lighthouse handbook", ...sections]],
  ["openpyxl.xlsx", ["Signals", "Stores 2024"]],
  ["ebooklib.epub", sections],
])("the headings of %s", async (name, headings) => {
  expect(texts(await read(name), "heading")).toEqual(headings);
});

const signals = "Signal | Meaning\nTwo blasts | Fog ahead\nThree flags | Pilot wanted\nOne rocket | Ship aground";

test.each([
  "pandoc.docx",
  "python-docx.docx",
  "libreoffice.docx",
  "python-pptx.pptx",
  "openpyxl.xlsx",
  "libreoffice.xlsx",
])("the table of %s", async (name) => {
  const document = await read(name);
  expect(texts(document, "table")[0]).toBe(signals);
  const table = document.blocks.find(({ kind }) => kind === "table");
  expect(document.text.slice(table?.start, table?.headerEnd)).toMatch(/^Signal \| Meaning\n?$/);
});

test("formulas of MathML and of Office are the same LaTeX", async () => {
  const html = await readFile(new URL("pandoc-formulas.html", folder), "utf8");
  const withoutTex = html.replace(/<annotation [^>]*>[^<]*<\/annotation>/g, "");
  const formulas = ({ text }: { text: string }): string[] =>
    (text.match(/\$+[^$]+\$+/g) ?? []).map((latex) => latex.replace(/\s+/g, ""));
  expect(formulas(await parseDocument("a.html", Buffer.from(withoutTex)))).toEqual(
    formulas(await read("pandoc-formulas.docx")),
  );
});

test("blocks say where they are from", async () => {
  const [slides, pages, book, cells] = await Promise.all(
    ["python-pptx.pptx", "reportlab.pdf", "ebooklib.epub", "openpyxl.xlsx"].map(read),
  );
  const sources = (document: SourceDocument | undefined) => [
    ...new Set(document?.blocks.filter(({ kind }) => kind !== "pageBreak").map(({ source }) => JSON.stringify(source))),
  ];
  expect(sources(slides)).toEqual([
    '{"slide":1}',
    '{"slide":2}',
    '{"slide":3}',
    '{"slide":4}',
    '{"slide":5}',
    '{"slide":5,"path":"ppt/notesSlides/notesSlide1.xml"}',
  ]);
  expect(sources(pages)).toEqual(['{"page":1}', '{"page":2}']);
  expect(sources(book)).toEqual([0, 1, 2].map((i) => `{"path":"EPUB/chapter${i}.xhtml"}`));
  expect(sources(cells)).toEqual([
    '{"sheet":"Signals"}',
    '{"sheet":"Signals","cell":"A1:B4"}',
    '{"sheet":"Stores 2024"}',
    '{"sheet":"Stores 2024","cell":"A1:E4"}',
    '{"sheet":"Stores 2024","cell":"A8:A8"}',
    '{"sheet":"Stores 2024","cell":"A10:B10"}',
  ]);
});

test.each([
  ["python-docx-margins.docx", "Harbour officeNot for saleAt seven, says the log."],
  ["openpyxl-margins.xlsx", "Harbour officeNot for saleKeeperAt seven, says the log."],
  // The body once more, as plain text.
  ["email.eml", expected["email.eml"].slice(0, 5).join("\n\n")],
])("what %s holds beside its text is counted", async (name, leftOut) => {
  expect((await read(name)).skippedCharacters).toBe(leftOut.length);
});
