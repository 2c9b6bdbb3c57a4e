import type { SourceReference } from "../block.js";
import type { ParsedText } from "../source-document.js";
import { BlockWriter } from "./block-writer.js";
import { replaceMath } from "./office-math.js";
import { readRelations } from "./office-relations.js";
import { readXml } from "./xml-events.js";
import { ZipArchive } from "./zip-archive.js";

const presentation = "ppt/presentation.xml";

/** Parts of a presentation that hold text which is on no slide and in no notes, or in pictures. */
const leftOut = /^ppt\/(?:comments\/.*|charts\/chart\d*)\.xml$/;

/**
 * PowerPoint presentations: each slide's title as a heading, its texts, tables, formulas (as LaTeX) and diagrams in the
 * order of the file, and its notes. Slides end with a page break. Comments and the texts of charts are left out and counted.
 */
export async function parsePptx(bytes: Uint8Array): Promise<ParsedText> {
  const archive = await ZipArchive.open(bytes);
  const slides = await slideNames(archive);
  const writer = new BlockWriter();
  for (const [i, name] of slides.entries()) {
    const source = { slide: i + 1 };
    if (i > 0) writer.addPageBreak();
    writeSlide(await archive.required(name), writer, source);
    const relations = await readRelations(archive, name);
    for (const type of ["diagramData", "notesSlide"]) {
      for (const { target } of relations.filter((relation) => relation.type === type)) {
        writeSlide((await archive.text(target)) ?? "<none/>", writer, { ...source, path: target });
      }
    }
  }
  return writer.finish(await archive.charactersOf((name) => leftOut.test(name)));
}

async function slideNames(archive: ZipArchive): Promise<string[]> {
  const relations = new Map((await readRelations(archive, presentation)).map(({ id, target }) => [id, target]));
  const names: string[] = [];
  readXml(await archive.required(presentation), {
    open: ({ name, attributes }) => {
      // Both its own id and that of its relation are called id without their prefixes; the latter comes last.
      const target = relations.get(attributes.id ?? "");
      if (name === "sldId" && target !== undefined) names.push(target);
    },
  });
  return names;
}

/** Placeholders that repeat on every slide what is no content of it. */
const furniture = new Set(["dt", "ftr", "sldNum", "sldImg", "hdr"]);

interface Shape {
  /** What it stands in for, such as "title" or "body". */
  placeholder: string | undefined;
  readonly paragraphs: { text: string; level: number }[];
}

function writeSlide(xml: string, writer: BlockWriter, source: SourceReference): void {
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
        } else if (name === "tbl") rows = [];
        else if (name === "tr") rows?.push([]);
        else if (name === "tc") cell = [];
        else if (name === "p") line = { text: "", level: 0 };
        else if (name === "pPr" && line) line.level = Number(attributes.lvl ?? 0);
        else if (name === "br" && line) line.text += "\n";
        else if (name === "t") isText = true;
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
          writer.addTable(rows, source);
          rows = undefined;
        } else if (name === "sp") {
          const shape = shapes.pop();
          if (shape) writeShape(shape, writer, source);
        }
      },
    },
  );
  writeShape(loose, writer, source);
}

function writeShape({ placeholder, paragraphs }: Shape, writer: BlockWriter, source: SourceReference): void {
  if (placeholder !== undefined && furniture.has(placeholder)) return;
  const lines = paragraphs.filter(({ text }) => text.trim() !== "");
  if (placeholder === "title" || placeholder === "ctrTitle") {
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
}
