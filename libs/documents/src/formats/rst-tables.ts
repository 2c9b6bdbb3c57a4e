import type { Block, BlockBreak } from "../block.js";
import { nextLineStart } from "./text-blocks.js";

const gridBorder = /^\s*\+(?:[-=]+\+)+\s*$/;
const gridHeader = /^\s*\+(?:=+\+)+\s*$/;
const gridLine = /^\s*[+|]/;
const simpleBorder = /^\s*=+(?:\s+=+)+\s*$/;

/** The grid tables and simple tables of a text, in order, with their headers and rows. */
export function findRstTables(text: string): Block[] {
  const tables: Block[] = [];
  let isBlankBefore = true;
  for (let at = 0; at < text.length; ) {
    const next = nextLineStart(text, at, text.length);
    const line = text.slice(at, next);
    const table = !isBlankBefore
      ? undefined
      : gridBorder.test(line)
        ? gridTable(text, at)
        : simpleBorder.test(line)
          ? simpleTable(text, at)
          : undefined;
    isBlankBefore = line.trim() === "";
    if (table === undefined) {
      at = next;
      continue;
    }
    tables.push(table);
    at = Math.max(next, table.end);
  }
  return tables;
}

function gridTable(text: string, start: number): Block | undefined {
  const breaks: BlockBreak[] = [];
  let headerEnd: number | undefined;
  let end = start;
  for (let at = start; at < text.length; ) {
    const next = nextLineStart(text, at, text.length);
    const line = text.slice(at, next);
    if (!gridLine.test(line)) break;
    end = at + line.trimEnd().length;
    if (gridHeader.test(line)) headerEnd = next;
    // A row ends with its border.
    if (gridBorder.test(line) && at > start) breaks.push({ at: next, level: 0 });
    at = next;
  }
  return makeTable(start, end, headerEnd, breaks);
}

/** Ends at its third border, or at its second where a blank line or nothing follows: then it has no header. */
function simpleTable(text: string, start: number): Block | undefined {
  const breaks: BlockBreak[] = [];
  let borders = 0;
  let headerEnd: number | undefined;
  for (let at = start; at < text.length; ) {
    const next = nextLineStart(text, at, text.length);
    const line = text.slice(at, next);
    if (simpleBorder.test(line)) {
      borders++;
      const following = text.slice(next, nextLineStart(text, next, text.length));
      if (borders === 3 || (borders === 2 && following.trim() === "")) {
        return makeTable(start, at + line.trimEnd().length, headerEnd, breaks);
      }
      if (borders === 2) headerEnd = next;
    } else if (line.trim() !== "" && !/^\s/.test(line)) breaks.push({ at, level: 0 });
    at = next;
  }
  return undefined;
}

function makeTable(
  start: number,
  end: number,
  headerEnd: number | undefined,
  breaks: readonly BlockBreak[],
): Block | undefined {
  const inside = breaks.filter(({ at }) => at > Math.max(start, headerEnd ?? 0) && at < end);
  return {
    kind: "table",
    start,
    end,
    breaks: inside,
    ...(headerEnd !== undefined && headerEnd < end && { headerEnd }),
  };
}
