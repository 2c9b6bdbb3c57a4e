import { mkdtemp, readFile, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import expected from "../fixtures/expected.json" with { type: "json" };
import { DocumentError, DocumentReader, parseDocument } from "./index.js";
import { sheetNamespace, wordNamespace, wordParts, workbookParts } from "./office.fixture.js";
import { makeZip, type ZipEntry } from "./zip.fixture.js";

const fixtures = new URL("../fixtures/", import.meta.url);
let directory = "";
const reader = new DocumentReader({ processes: 1, timeoutMs: 110_000, memoryBytes: 400 * 1024 * 1024 });

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "ragline-hostile-"));
});

afterAll(async () => {
  reader.close();
  await rm(directory, { recursive: true, force: true });
});

async function outcome(name: string, content: string | Uint8Array): Promise<string> {
  const path = join(directory, name);
  await writeFile(path, content);
  return reader.read({ path }).then(
    ({ text }) => `text of ${text.length}`,
    (error: DocumentError) => {
      expect(error.message).toContain(name);
      return error.reason;
    },
  );
}

const spaces = Buffer.alloc(80 * 1024 * 1024, " ");
const relations = '<Relationships><Relationship Id="r1" Type="x/slide" Target="slides/slide1.xml"/></Relationships>';
const laughs = Array.from({ length: 12 }, (_, i) => `<!ENTITY l${i + 1} "${`&l${i};`.repeat(10)}">`).join("");

/** An XML file whose one text is an entity that would be 10^12 letters. */
function laughing(name: string, before: string, after: string): ZipEntry {
  return { name, content: `<?xml version="1.0"?><!DOCTYPE x [<!ENTITY l0 "lol">${laughs}]>${before}&l12;${after}` };
}

function presentation(slide: ZipEntry): ZipEntry[] {
  return [
    { name: "ppt/presentation.xml", content: '<p><sldIdLst><sldId id="1" r:id="r1"/></sldIdLst></p>' },
    { name: "ppt/_rels/presentation.xml.rels", content: relations },
    slide,
  ];
}

test("a chart of endless points costs no more than to count them", async () => {
  const slide = {
    name: "ppt/slides/slide1.xml",
    content: '<sld><c:chart r:id="r1"/><sp><p><r><t>words</t></r></p></sp></sld>',
  };
  const chart = {
    name: "ppt/slides/chart1.xml",
    content: `<c:chartSpace><c:ser><c:val>${'<c:pt idx="1"><c:v>1</c:v></c:pt>'.repeat(600_000)}</c:val></c:ser></c:chartSpace>`,
  };
  const relation = {
    name: "ppt/slides/_rels/slide1.xml.rels",
    content: '<Relationships><Relationship Id="r1" Type="x/chart" Target="chart1.xml"/></Relationships>',
  };
  expect(await outcome("points.pptx", makeZip([...presentation(slide), relation, chart]))).toBe("text of 5");
  const huge = { ...chart, content: "<a/>", declaredSize: 300 * 1024 * 1024 };
  expect(await outcome("more.pptx", makeZip([...presentation(slide), relation, huge]))).toBe("too_large");
});

function book(entries: ZipEntry[]): ZipEntry[] {
  return [
    { name: "META-INF/container.xml", content: '<container><rootfile full-path="a.opf"/></container>' },
    {
      name: "a.opf",
      content:
        '<package><item id="a" href="a.xhtml" media-type="application/xhtml+xml"/><itemref idref="a"/></package>',
    },
    ...entries,
  ];
}

test("an archive that unpacks to too much is refused before it is unpacked", async () => {
  const huge = { content: "<a/>", declaredSize: 300 * 1024 * 1024 };
  expect(await outcome("bomb.docx", makeZip(wordParts({ ...huge, name: "word/document.xml" })))).toBe("too_large");
  expect(await outcome("bomb.pptx", makeZip(presentation({ ...huge, name: "ppt/slides/slide1.xml" })))).toBe(
    "too_large",
  );
});

test("an archive that lies about its size costs one typed error", async () => {
  const lie = { content: spaces, declaredSize: 100 };
  const slide = { ...lie, name: "ppt/slides/slide1.xml" };
  expect(await outcome("lie.pptx", makeZip(presentation(slide)))).toBe("unparsable");
  expect(await outcome("lie.epub", makeZip(book([{ ...lie, name: "a.xhtml" }])))).toBe("unparsable");
  const [text, cells] = ["word/document.xml", "xl/worksheets/sheet1.xml"].map((name) => ({ ...lie, name }));
  const refused = ["unparsable", "out_of_memory", "empty"];
  expect(refused).toContain(await outcome("lie.docx", makeZip(wordParts(text as ZipEntry))));
  expect(refused).toContain(await outcome("lie.xlsx", makeZip(workbookParts(cells as ZipEntry))));
});

test("entities that stand for endless text are not expanded", async () => {
  const slide = laughing("ppt/slides/slide1.xml", "<sld><sp><p><r><t>", "</t></r></p></sp></sld>");
  expect(await outcome("laughs.pptx", makeZip(presentation(slide)))).toBe("unparsable");
  const page = laughing("a.xhtml", "<html><body><p>", "</p></body></html>");
  expect(await outcome("laughs.epub", makeZip(book([page])))).toMatch(/^text of \d{1,3}$/);
  const text = laughing(
    "word/document.xml",
    `<w:document xmlns:w="${wordNamespace}"><w:body><w:p><w:r><w:t>`,
    "</w:t></w:r></w:p></w:body></w:document>",
  );
  expect(await outcome("laughs.docx", makeZip(wordParts(text)))).toMatch(/^text of \d{1,3}$|unparsable/);
  const cell = laughing(
    "xl/worksheets/sheet1.xml",
    `<worksheet xmlns="${sheetNamespace}"><sheetData><row r="1"><c r="A1" t="inlineStr"><is><t>`,
    "</t></is></c></row></sheetData></worksheet>",
  );
  expect(await outcome("laughs.xlsx", makeZip(workbookParts(cell)))).toMatch(/^text of \d{1,3}$|unparsable/);
});

/** A PDF of these objects, from 1; pdf.js finds them without a table of their places. */
function makePdf(...objects: string[]): string {
  return `%PDF-1.4\n${objects.map((object, i) => `${i + 1} 0 obj\n${object}\nendobj\n`).join("")}trailer\n<< /Root 1 0 R >>\n`;
}

const form =
  "<< /Type /XObject /Subtype /Form /BBox [0 0 9 9] /Resources << /XObject << /F 4 0 R >> >> /Length 4 >>\nstream\n/F Do\nendstream";

test.each([
  [
    "pages that hold themselves",
    makePdf("<< /Type /Catalog /Pages 2 0 R >>", "<< /Type /Pages /Kids [2 0 R 2 0 R] /Count 9 >>"),
  ],
  [
    "a page that draws itself",
    makePdf(
      "<< /Type /Catalog /Pages 2 0 R >>",
      "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
      "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 9 9] /Contents 4 0 R /Resources << /XObject << /F 4 0 R >> >> >>",
      form,
    ),
  ],
  ["references in a circle", makePdf("2 0 R", "1 0 R")],
  [
    "a million pages that are not there",
    makePdf("<< /Type /Catalog /Pages 2 0 R >>", "<< /Type /Pages /Kids [] /Count 1000000 >>"),
  ],
  [
    "a table of places that points at itself",
    `${makePdf("<< /Type /Catalog /Pages 2 0 R >>", "<< /Type /Pages /Kids [] /Count 0 >>")}xref\n0 1\n0000000000 65535 f \ntrailer\n<< /Root 1 0 R /Prev 9 >>\nstartxref\n9\n%%EOF`,
  ],
])("a PDF with %s ends", async (_, pdf) => {
  expect(await outcome("loop.pdf", pdf)).toMatch(/^(?:unparsable|empty|text of \d{1,4})$/);
});

test("what is encrypted is told so", async () => {
  expect(await outcome("key.pdf", await readFile(new URL("encrypted.pdf", fixtures)))).toBe("encrypted");
  expect(await outcome("key.docx", Buffer.from("d0cf11e0a1b11ae1", "hex"))).toBe("encrypted");
  expect(await outcome("key.xlsx", makeZip([{ name: "a.xml", content: "x", isEncrypted: true }]))).toBe("encrypted");
  const rights = {
    name: "META-INF/encryption.xml",
    content: '<encryption><CipherReference URI="a.xhtml"/></encryption>',
  };
  expect(await outcome("key.epub", makeZip(book([rights, { name: "a.xhtml", content: "?" }])))).toBe("encrypted");
});

test("files under a wrong name are told so, or read as what they say they are", async () => {
  const file = (name: string) => readFile(new URL(name, fixtures));
  expect(await outcome("a.pdf", await file("python-docx.docx"))).toBe("unparsable");
  expect(await outcome("a.docx", await file("reportlab.pdf"))).toBe("unparsable");
  expect(await outcome("a.docx", await file("python-pptx.pptx"))).toBe("unparsable");
  expect(await outcome("a.pptx", await file("openpyxl.xlsx"))).toBe("unparsable");
  expect(await outcome("a.xlsx", await file("pandoc.epub"))).toBe("unparsable");
  expect(await outcome("a.epub", await file("pandoc.docx"))).toBe("unparsable");
  expect(await outcome("a.ipynb", await file("email.eml"))).toBe("unparsable");
  expect(await outcome("a.json", await file("pandoc.html"))).toBe("unparsable");
  expect(await outcome("a.md", await file("python-docx.docx"))).toBe("binary");
  expect(await outcome("a.csv", await file("openpyxl.xlsx"))).toBe("binary");
});

const names = Object.keys(expected);

test.each(names)("%s cut off or damaged is a document or a typed error", async (name) => {
  const bytes = await readFile(new URL(name, fixtures));
  const tryToRead = async (content: Uint8Array) => {
    try {
      expect((await parseDocument(name, content)).blocks.length).toBeGreaterThan(0);
    } catch (error) {
      expect(error).toBeInstanceOf(DocumentError);
    }
  };
  for (const share of [0.3, 0.7]) await tryToRead(bytes.subarray(0, bytes.length * share));
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(fc.nat(bytes.length - 1), fc.nat(255)), { minLength: 1, maxLength: 8 }),
      (edits) => {
        const damaged = Uint8Array.from(bytes);
        for (const [at, byte] of edits) damaged[at] = byte;
        return tryToRead(damaged);
      },
    ),
    { numRuns: 2, seed: 8 },
  );
});

test("a gigabyte of nothing is refused unread, also where its size is allowed", async () => {
  const path = join(directory, "huge.txt");
  await writeFile(path, " ");
  await truncate(path, 1024 ** 3);
  await expect(reader.read({ path })).rejects.toMatchObject({ reason: "too_large" });
  await expect(new DocumentReader({ maxBytes: 2 * 1024 ** 3 }).read({ path })).rejects.toMatchObject({
    reason: "too_large",
  });
});

test.each(["md", "txt", "html", "csv", "yaml", "py"])("a .%s of 4 MB of spaces is empty", async (extension) => {
  expect(await outcome(`spaces.${extension}`, Buffer.alloc(4_000_000, " "))).toBe("empty");
});

test("100,000 nested lists cost one typed error, and the next file is read", async () => {
  const impatient = new DocumentReader({ processes: 1, timeoutMs: 4000 });
  try {
    const [nested, next] = [join(directory, "nested.html"), join(directory, "next.html")];
    await writeFile(nested, "<ul><li>".repeat(100_000));
    await writeFile(next, "<p>next");
    await expect(impatient.read({ path: nested })).rejects.toBeInstanceOf(DocumentError);
    await expect(impatient.read({ path: next })).resolves.toMatchObject({ text: "next" });
  } finally {
    impatient.close();
  }
});
