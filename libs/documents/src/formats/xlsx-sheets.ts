import { columnIndex, maxColumn, maxRow } from "./cell-references.js";
import { readRelations } from "./office-relations.js";
import { readXml } from "./xml-events.js";
import type { ZipArchive } from "./zip-archive.js";

const workbook = "xl/workbook.xml";

/** A cell that shows an error instead of a value. */
export interface ErrorCell {
  /** Counts from 0. */
  readonly row: number;
  readonly column: number;
  /** As it is shown, such as "#DIV/0!". */
  readonly text: string;
}

/** The names of the files of a workbook's sheets in the archive, in the order of the sheets. */
export async function sheetParts(archive: ZipArchive): Promise<string[]> {
  const relations = new Map((await readRelations(archive, workbook)).map(({ id, target }) => [id, target]));
  const parts: string[] = [];
  readXml(await archive.required(workbook), {
    open: ({ name, attributes: { name: title, id = "" } }) => {
      if (name === "sheet" && title) parts.push(relations.get(id) ?? "");
    },
  });
  return parts;
}

/** The cells of a sheet's file that show errors. */
export function errorCells(xml: string): ErrorCell[] {
  const cells: ErrorCell[] = [];
  if (!/\st=["']e["']/.test(xml)) return cells;
  let place: { row: number; column: number } | undefined;
  let text: string | undefined;
  readXml(xml, {
    open: ({ name, attributes }) => {
      if (name === "c") place = attributes.t === "e" ? toPlace(attributes.r ?? "") : undefined;
      else if (name === "v" && place) text = "";
    },
    text: (part) => {
      if (text !== undefined) text += part;
    },
    close: (name) => {
      if (name !== "v" || text === undefined || place === undefined) return;
      cells.push({ ...place, text: text.trim() });
      text = undefined;
    },
  });
  return cells;
}

/** How many letters of headers and footers a sheet's file has, without the codes for fonts, page numbers and the like. */
export function marginCharacters(xml: string): number {
  // It stands behind the cells, which need not be searched.
  const behind = xml.slice(Math.max(xml.lastIndexOf("sheetData"), 0));
  const [opening, tag = ""] = /<((?:\w+:)?headerFooter)[\s>]/.exec(behind) ?? [];
  if (opening === undefined) return 0;
  const start = behind.indexOf(opening);
  const end = behind.indexOf(`</${tag}>`, start);
  if (end < 0) return 0;
  let characters = 0;
  readXml(`${behind.slice(start, end)}</${tag}>`, {
    text: (text) => {
      characters += text.replace(/&(?:"[^"]*"|K[0-9A-Fa-f]{6}|\d+|(&)|.)/g, "$1").trim().length;
    },
  });
  return characters;
}

function toPlace(reference: string): { row: number; column: number } | undefined {
  const [, letters, digits] = /^([A-Z]{1,3})(\d{1,7})$/.exec(reference) ?? [];
  if (letters === undefined) return undefined;
  const [row, column] = [Number(digits) - 1, columnIndex(letters)];
  return row >= 0 && row < maxRow && column < maxColumn ? { row, column } : undefined;
}
