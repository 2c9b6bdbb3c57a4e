/** A run of letters as pdf.js has it. */
export interface PdfItem {
  readonly str: string;
  /** Its last two numbers are where it starts, from the left and from below. */
  readonly transform: readonly number[];
  readonly width: number;
  readonly height: number;
}

/** What stands on one line of a page. */
export interface PdfLine {
  /** Its text, in parts that stand far apart, as the cells of a table do. */
  readonly cells: readonly string[];
  /** Above the page's lower edge. */
  readonly y: number;
  /** Of its tallest letters. */
  readonly height: number;
}

/** Runs of one line apart by this many heights are words of their own. */
const wordGap = 0.2;
/** Runs apart by this many heights are cells of a table. */
const cellGap = 1;
/** Runs whose base lines differ by less than this many heights stand on one line, as raised letters do. */
const lineSlack = 0.5;

/** Joins runs of letters, in the order of the file, to lines. */
export function toLines(items: readonly PdfItem[]): PdfLine[] {
  const lines: PdfLine[] = [];
  let cells: string[] = [];
  let y = 0;
  let height = 0;
  let right = 0;
  const end = () => {
    const words = cells.map((cell) => cell.trim()).filter((cell) => cell !== "");
    if (words.length > 0) lines.push({ cells: words, y, height });
    cells = [];
    height = 0;
  };
  for (const item of items) {
    const { str, width } = item;
    const [left = 0, base = 0] = item.transform.slice(4);
    const last = cells.at(-1);
    if (str.trim() === "") {
      // A run of nothing but space says that there is one; its width may be that of a table's gap.
      if (last !== undefined && str !== "" && !last.endsWith(" ")) cells[cells.length - 1] = `${last} `;
      continue;
    }
    const tallest = Math.max(height, item.height);
    const isSameLine = last !== undefined && Math.abs(base - y) < tallest * lineSlack && left >= right - tallest;
    if (!isSameLine) end();
    if (cells.length === 0) {
      y = base;
      cells.push(str);
    } else if (left - right > tallest * cellGap) cells.push(str);
    else {
      const isApart = left - right > tallest * wordGap && !last?.endsWith(" ") && !str.startsWith(" ");
      cells[cells.length - 1] = `${last}${isApart ? " " : ""}${str}`;
    }
    height = Math.max(height, item.height);
    right = left + width;
  }
  end();
  return lines;
}
