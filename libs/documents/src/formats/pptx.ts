import type { ParsedText } from "../source-document.js";
import { BlockWriter } from "./block-writer.js";
import { OfficeCharts } from "./office-charts.js";
import { writeDrawing } from "./office-drawing.js";
import { readRelations } from "./office-relations.js";
import { readXml } from "./xml-events.js";
import { ZipArchive } from "./zip-archive.js";

const presentation = "ppt/presentation.xml";

/** Parts of a presentation that hold text which is on no slide and in no notes, or in pictures. */
const leftOut = /^ppt\/(?:comments\/.*|charts\/chart(?:Ex)?\d*|drawings\/drawing\d*)\.xml$/;

/**
 * PowerPoint presentations: each slide's title as a heading, its texts, tables, formulas (as LaTeX), charts and diagrams in
 * the order of the file, and its notes. Slides end with a page break. Comments and what stands on every slide are left out
 * and counted.
 */
export async function parsePptx(bytes: Uint8Array): Promise<ParsedText> {
  const archive = await ZipArchive.open(bytes);
  const slides = await slideNames(archive);
  const writer = new BlockWriter();
  const charts = new OfficeCharts(archive);
  const others = new Set<string>();
  let skipped = 0;
  for (const [i, name] of slides.entries()) {
    const source = { slide: i + 1 };
    if (i > 0) writer.addPageBreak();
    const relations = await readRelations(archive, name);
    const takeChart = await charts.of(relations);
    skipped += writeDrawing(await archive.required(name), writer, { source, takeChart });
    for (const type of ["diagramData", "notesSlide"]) {
      for (const { target } of relations.filter((relation) => relation.type === type)) {
        if (others.has(target)) continue;
        others.add(target);
        const xml = (await archive.text(target)) ?? "<none/>";
        skipped += writeDrawing(xml, writer, { source: { ...source, path: target } });
      }
    }
  }
  skipped += charts.skippedCharacters;
  skipped += await archive.charactersOf((name) => leftOut.test(name) && !charts.wasRead(name));
  return writer.finish(skipped);
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
