import { expect, test } from "vitest";
import { cellsAt, columnIndex } from "./cell-references.js";

const sparse: string[] = ["a"];
sparse[2] = "c";
const sheets = new Map([
  ["S", [["1", "2"], undefined, ["5", "6"]]],
  ["It's two", [sparse]],
]);

test.each([
  ["S!$A$1", ["1"]],
  ["S!A1:B1", ["1", "2"]],
  ["S!$B$1:$B$3", ["2", "", "6"]],
  ["S!$A$1:$B$3", ["1 2", "", "5 6"]],
  ["'It''s two'!$A$1:$D$1", ["a", "", "c", ""]],
  ["S!$C$9", [""]],
  ["S!$B$3:$A$1", []],
  ["T!$A$1", []],
  ["[1]S!$A$1", []],
  ["S!$A$1:$XFD$1048576", []],
  ["S!$A$1:$ZZZ$1", []],
  ["(S!$A$1,S!$A$3)", []],
  ["label 0", []],
])("the cells at %s", (reference, texts) => {
  expect(cellsAt(reference, sheets)).toEqual(texts);
});

test("columns have letters", () => {
  expect(["A", "Z", "AA", "XFD"].map(columnIndex)).toEqual([0, 25, 26, 16_383]);
});
