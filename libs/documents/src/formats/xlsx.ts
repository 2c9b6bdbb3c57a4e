import readWorkbook from "read-excel-file/node";
import type { ParsedText } from "../source-document.js";
import { BlockWriter } from "./block-writer.js";
import type { SheetRows } from "./cell-references.js";
import { isoDate } from "./office-dates.js";
import { SheetOverlays } from "./xlsx-overlays.js";
import { errorCells, marginCharacters, sheetParts } from "./xlsx-sheets.js";
import { ZipArchive } from "./zip-archive.js";

/** Parts of a workbook that hold text which is in no cell. */
const leftOut = /^xl\/(?:(?:comments|threadedComments)(?:\/.*)?\d*|drawings\/drawing\d*|charts\/chart(?:Ex)?\d*)\.xml$/;

/**
 * Excel workbooks: each sheet's name as a heading, a table for each run of rows between empty ones, and the texts and charts
 * over its cells. Cells have the values that were last computed, errors too; dates are written as ISO 8601. Page headers and
 * footers and comments are left out and counted.
 */
export async function parseXlsx(bytes: Uint8Array): Promise<ParsedText> {
  // It unpacks the archive itself; looked at first for what is no archive, or would explode.
  const archive = await ZipArchive.open(bytes);
  const sheets = await readWorkbook(Buffer.from(bytes));
  const parts = await sheetParts(archive);
  const rowsOfSheets: SheetRows[] = [];
  let skipped = 0;
  for (const [i, { data }] of sheets.entries()) {
    const xml = (await archive.text(parts[i] ?? "")) ?? "";
    skipped += marginCharacters(xml);
    // A sheet that is a chart has no cells.
    const rows = ((data as typeof data | undefined) ?? []).map((cells) => cells.map((cell) => toText(cell)));
    for (const { row, column, text } of errorCells(xml)) {
      rows[row] ??= [];
      rows[row][column] = text;
    }
    rowsOfSheets.push(rows);
  }
  const overlays = new SheetOverlays(archive, new Map(sheets.map(({ sheet }, i) => [sheet, rowsOfSheets[i] ?? []])));
  const writer = new BlockWriter();
  for (const [i, { sheet }] of sheets.entries()) {
    const rows = rowsOfSheets[i] ?? [];
    const overlay = await overlays.of(parts[i] ?? "", sheet);
    if (overlay.blocks.length === 0 && rows.every((cells) => cells?.every((cell) => cell === ""))) continue;
    writer.add(sheet, { kind: "heading", depth: 1, source: { sheet } });
    writeRegions(rows, sheet, writer);
    writer.addParsed(overlay);
  }
  skipped += overlays.skippedCharacters;
  skipped += await archive.charactersOf((name) => leftOut.test(name) && !overlays.wasRead(name));
  return writer.finish(skipped);
}

function writeRegions(rows: SheetRows, sheet: string, writer: BlockWriter): void {
  let region: (readonly string[])[] = [];
  for (let y = 0; y <= rows.length; y++) {
    const cells = rows[y] ?? [];
    if (cells.some((cell) => cell !== "")) region.push(cells);
    else {
      writeRegion(region, y - region.length, sheet, writer);
      region = [];
    }
  }
}

function writeRegion(rows: readonly (readonly string[])[], firstRow: number, sheet: string, writer: BlockWriter): void {
  if (rows.length === 0) return;
  let left = Infinity;
  let right = 0;
  for (const cells of rows) {
    cells.forEach((cell, x) => {
      if (cell === "") return;
      left = Math.min(left, x);
      right = Math.max(right, x);
    });
  }
  const cell = `${columnName(left)}${firstRow + 1}:${columnName(right)}${firstRow + rows.length}`;
  const source = { sheet, cell };
  const cells = rows.map((row) => Array.from({ length: right - left + 1 }, (_, i) => row[left + i] ?? ""));
  if (left === right) writer.add(cells.map(([text = ""]) => text).join("\n"), { kind: "paragraph", source });
  else writer.addTable(cells, source);
}

function toText(value: unknown): string {
  if (typeof value === "string") return value.trim();
  if (typeof value === "number" || typeof value === "boolean") return String(value);
  return value instanceof Date ? isoDate(value) : "";
}

/** A to Z, AA and so on, from 0. */
function columnName(x: number): string {
  const letter = String.fromCharCode(65 + (x % 26));
  return x < 26 ? letter : columnName(Math.floor(x / 26) - 1) + letter;
}
