import { expect, test } from "vitest";
import { parseDocument } from "../index.js";
import { sheetNamespace, workbookParts } from "../office.fixture.js";
import { makeZip } from "../zip.fixture.js";
import { errorCells, marginCharacters } from "./xlsx-sheets.js";

const cell = (place: string, value: string): string => `<c r="${place}" t="e"><v>${value}</v></c>`;

test.each([
  ["one", cell("B3", "#N/A"), [{ row: 2, column: 1, text: "#N/A" }]],
  ["the last of all", cell("XFD1048576", "#REF!"), [{ row: 1_048_575, column: 16_383, text: "#REF!" }]],
  ["a prefix", `<x:c r="AA1" s="1" t='e'><x:v>#NUM!</x:v></x:c>`, [{ row: 0, column: 26, text: "#NUM!" }]],
  ["places that are none", cell("B0", "#N/A") + cell("ZZZ1", "#N/A") + cell("A9999999", "#N/A"), []],
  ["numbers", '<c r="A1" t="n"><v>1</v></c>', []],
])("cells with errors: %s", (_, cells, expected) => {
  expect(errorCells(`<worksheet><sheetData>${cells}</sheetData></worksheet>`)).toEqual(expected);
});

test.each([
  [
    '<oddHeader>&amp;L&amp;"Arial,Bold"&amp;12Top&amp;R&amp;K00FF00&amp;D</oddHeader><oddFooter>a &amp;&amp; b</oddFooter>',
    8,
  ],
  ["<oddHeader/>", 0],
])("the letters of %s", (margins, count) => {
  const xml = `<worksheet><sheetData/><x:headerFooter>${margins}</x:headerFooter></worksheet>`;
  expect(marginCharacters(xml)).toBe(count);
  expect(marginCharacters("<worksheet><sheetData/><headerFooter>")).toBe(0);
});

test("an error beyond all other cells is read where it stands", async () => {
  const cells = `<row r="1"><c r="A1"><v>1</v></c></row><row r="9">${cell("C9", "#VALUE!")}</row>`;
  const content = `<worksheet xmlns="${sheetNamespace}"><sheetData>${cells}</sheetData></worksheet>`;
  const { text, blocks } = await parseDocument(
    "a.xlsx",
    makeZip(workbookParts({ name: "xl/worksheets/sheet1.xml", content })),
  );
  expect(text).toBe("A\n\n1\n\n#VALUE!");
  expect(blocks.map(({ source }) => source?.cell)).toEqual([undefined, "A1:A1", "C9:C9"]);
});
