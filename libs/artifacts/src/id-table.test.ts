import { expect, test } from "vitest";
import { faissId } from "./faiss-id-map.js";
import { IdTable } from "./id-table.js";
import { pointId } from "./point-id.js";

test("thousands of ids are found by row, repeated ones by their first row, unknown rows not at all", () => {
  const table = new IdTable();
  const ids = Array.from({ length: 5000 }, (_, i) => pointId("docs", `text ${i}`));
  for (const [row, id] of ids.entries()) {
    if (row === 3000) table.skip();
    else expect(table.add(id)).toBeUndefined();
  }
  expect(table.add(ids[7] ?? "")).toBe(7);
  for (const [row, id] of ids.entries()) {
    expect(table.rowOf(id)).toBe(row === 3000 ? undefined : row);
    expect(table.first63BitsOf(row)).toBe(row === 3000 ? 0n : faissId(id));
  }
  expect([table.rowOf("7"), table.rowOf(pointId("docs", "none")), table.first63BitsOf(9999)]).toEqual([
    undefined,
    undefined,
    0n,
  ]);
});
