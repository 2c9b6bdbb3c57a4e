import type { SourceReference } from "../block.js";
import { BlockWriter } from "./block-writer.js";
import { type OfficeChart, writeChart } from "./office-chart.js";
import { replaceMath } from "./office-math.js";
import { describePicture } from "./picture-description.js";
import { readXml } from "./xml-events.js";

/** Placeholders that repeat on every slide what is no content of it. */
const furniture = new Set(["dt", "ftr", "sldNum", "sldImg", "hdr"]);

interface Shape {
  /** What it stands in for, such as "title" or "body". */
  placeholder: string | undefined;
  readonly paragraphs: { text: string; level: number }[];
}

/** Where a drawing is, and what reads its charts. */
export interface DrawingContext {
  readonly source: SourceReference;
  /**
   * Reads a chart by the id that the drawing has for it.
   * @default charts are left out
   */
  readonly takeChart?: (id: string) => OfficeChart | undefined;
}

/**
 * Writes what a drawing shows (a slide, its notes, a diagram, or what floats over the cells of a sheet) in the order of its
 * file, but for titles of slides, which come first as headings: texts, tables, formulas as LaTeX, charts, and what pictures
 * are said to show.
 * @returns how many letters it leaves out: dates, page numbers and the like that stand on every slide, names of pictures
 * @throws Error when it is not well-formed.
 */
export function writeDrawing(xml: string, writer: BlockWriter, { source, takeChart }: DrawingContext): number {
  let skipped = 0;
  const body = new BlockWriter();
  const shapes: Shape[] = [];
  let rows: string[][] | undefined;
  let cell: string[] | undefined;
  let line: { text: string; level: number } | undefined;
  let isText = false;
  /** Inside what programs show that do not know the choice before it: the same once more. */
  let fallbacks = 0;
  const loose: Shape = { placeholder: undefined, paragraphs: [] };

  readXml(
    replaceMath(xml, (latex) => `<r><t>${latex}</t></r>`),
    {
      open: ({ name, attributes }) => {
        if (name === "Fallback") fallbacks++;
        if (fallbacks > 0) return;
        if (name === "sp") shapes.push({ placeholder: undefined, paragraphs: [] });
        else if (name === "ph") {
          const shape = shapes.at(-1);
          if (shape) shape.placeholder = attributes.type ?? "obj";
        } else if (name === "cNvPr") {
          const picture = describePicture(attributes);
          body.add(picture.text, { kind: "caption", source });
          skipped += picture.skippedCharacters;
        } else if (name === "tbl") rows = [];
        else if (name === "tr") rows?.push([]);
        else if (name === "tc") cell = [];
        else if (name === "p") line = { text: "", level: 0 };
        else if (name === "pPr" && line) line.level = Number(attributes.lvl ?? 0);
        else if (name === "br" && line) line.text += "\n";
        else if (name === "t") isText = true;
        else if (name === "chart") {
          const chart = takeChart?.(attributes.id ?? "");
          if (chart) writeChart(chart, body, source);
        }
      },
      text: (text) => {
        if (isText && line) line.text += text;
      },
      close: (name) => {
        if (name === "Fallback") fallbacks--;
        else if (fallbacks > 0) return;
        else if (name === "t") isText = false;
        else if (name === "p" && line) {
          if (cell) cell.push(line.text);
          else (shapes.at(-1) ?? loose).paragraphs.push(line);
          line = undefined;
        } else if (name === "tc" && cell) {
          rows?.at(-1)?.push(cell.join(" "));
          cell = undefined;
        } else if (name === "tbl" && rows) {
          body.addTable(rows, source);
          rows = undefined;
        } else if (name === "sp") {
          const shape = shapes.pop();
          if (shape) skipped += writeShape(shape, isTitle(shape) ? writer : body, source);
        }
      },
    },
  );
  skipped += writeShape(loose, body, source);
  writer.addParsed(body.finish());
  return skipped;
}

function isTitle({ placeholder }: Shape): boolean {
  return placeholder === "title" || placeholder === "ctrTitle";
}

/** Returns how many letters it leaves out. */
function writeShape(shape: Shape, writer: BlockWriter, source: SourceReference): number {
  const { placeholder, paragraphs } = shape;
  if (placeholder !== undefined && furniture.has(placeholder)) {
    return paragraphs.reduce((sum, { text }) => sum + text.trim().length, 0);
  }
  const lines = paragraphs.filter(({ text }) => text.trim() !== "");
  if (isTitle(shape)) {
    writer.add(lines.map(({ text }) => text.trim()).join(" "), { kind: "heading", depth: 1, source });
  } else if (placeholder !== undefined && lines.length > 1) {
    let at = 0;
    const breaks = [];
    const items = lines.map(({ text, level }) => `${"  ".repeat(Math.min(level, 9))}- ${text.trim()}`);
    for (const [i, item] of items.entries()) {
      if (i > 0) breaks.push({ at, level: lines[i]?.level ?? 0 });
      at += item.length + 1;
    }
    writer.add(items.join("\n"), { kind: "list", breaks, source });
  } else {
    for (const { text } of lines) writer.add(text.trim(), { kind: "paragraph", source });
  }
  return 0;
}
