/** The rows of a sheet as texts; rows and cells that nothing was ever written to may be missing. */
export type SheetRows = readonly (readonly string[] | undefined)[];

/** Excel has no rows beyond this. */
export const maxRow = 1_048_576;
/** Nor columns. */
export const maxColumn = 16_384;
/** Cells of a reference that are looked up; charts have no more. */
const maxCells = 65_536;
/** A sheet's name, quoted or not, and its first and last cell. */
const rangePattern = /^(?:'((?:[^']|'')*)'|([^'!]+))!\$?([A-Z]{1,3})\$?(\d{1,7})(?::\$?([A-Z]{1,3})\$?(\d{1,7}))?$/;

/**
 * The texts of the cells that a reference such as `'Oil 2024'!$A$2:$A$9` is to, row by row; those of a row that is one of
 * several are one text. None where it is no plain reference or its sheet is not there.
 */
export function cellsAt(reference: string, sheets: ReadonlyMap<string, SheetRows>): readonly string[] {
  const [, quoted, plain, left = "", top = "", right = left, bottom = top] = rangePattern.exec(reference.trim()) ?? [];
  const rows = sheets.get(quoted?.replaceAll("''", "'") ?? plain ?? "");
  const [x, y, width, height] = [columnIndex(left), Number(top) - 1, columnIndex(right) + 1, Number(bottom)];
  if (rows === undefined || width > maxColumn || height > maxRow) return [];
  if ((width - x) * (height - y) > maxCells) return [];
  const cells = Array.from({ length: Math.max(0, height - y) }, (_, i) =>
    Array.from({ length: Math.max(0, width - x) }, (__, j) => rows[y + i]?.[x + j] ?? ""),
  );
  return cells.length === 1 ? (cells[0] ?? []) : cells.map((row) => row.join(" ").trim());
}

/** From 0, of "A" to "Z", "AA" and so on. */
export function columnIndex(letters: string): number {
  return [...letters].reduce((sum, letter) => sum * 26 + letter.charCodeAt(0) - 64, 0) - 1;
}
