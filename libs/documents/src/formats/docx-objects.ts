import { randomUUID } from "node:crypto";
import { BlockWriter } from "./block-writer.js";
import type { OfficeChart } from "./office-chart.js";
import { OfficeCharts } from "./office-charts.js";
import { writeDrawing } from "./office-drawing.js";
import { readRelations } from "./office-relations.js";
import { describePicture } from "./picture-description.js";
import { readXml } from "./xml-events.js";
import { xmlEscaped } from "./xml-text.js";
import type { ZipArchive } from "./zip-archive.js";

/** Where an object that is no text begins or ends. */
const objectTag = /<(\/?)(?:mc:AlternateContent|w:drawing|w:pict|w:object)(?:\s[^<>]*|\/)?>/g;

const textBoxTag = /<(\/?)w:txbxContent(?:\s[^<>]*|\/)?>/g;
/** What mammoth reads of a shape: the form for programs that know no others than those of old. */
const readableShape = /<(?:mc:Fallback|w:pict)[\s>]/;

/** A heading, whose objects come behind it. */
const heading = /(<h[1-6]>(?:(?!<\/h[1-6]>).)*)(<\/h[1-6]>)/gs;
/** A picture whose caption says what it is said to show. */
const captionedPicture = /<p><img alt="([^"]*)"><\/p>(?=<figcaption>\1<\/figcaption>)/g;

/**
 * The charts and diagrams of a Word document, and what pictures and shapes are said to show. mammoth passes over them, so
 * `mark` puts a bookmark behind each that it keeps, and `fill` puts what it says in the place of the bookmark.
 */
export class DocxObjects {
  readonly #archive: ZipArchive;
  readonly #charts: OfficeCharts;
  readonly #diagrams = new Set<string>();
  /** No author has bookmarks of this name. */
  readonly #bookmark = `ragline-${randomUUID()}-`;
  readonly #contents: string[] = [];
  #skipped = 0;

  constructor(archive: ZipArchive) {
    this.#archive = archive;
    this.#charts = new OfficeCharts(archive);
  }

  /** Letters left out of the charts and diagrams that were read. */
  get skippedCharacters(): number {
    return this.#skipped + this.#charts.skippedCharacters;
  }

  /** Whether a file in the archive is a chart or a diagram that was read. */
  wasRead(name: string): boolean {
    return this.#diagrams.has(name) || this.#charts.wasRead(name);
  }

  /**
   * Marks the objects of a part of the document, and makes the texts in shapes known to mammoth where they have no older form.
   * @param part Its name in the archive.
   */
  async mark(part: string, xml: string): Promise<string> {
    const objects = [...outermost(xml, objectTag)];
    if (objects.length === 0) return xml;
    const relations = await readRelations(this.#archive, part);
    const takeChart = await this.#charts.of(relations);
    const diagrams = new Map(
      relations.flatMap(({ id, type, target }) => (type === "diagramData" ? [[id, target] as const] : [])),
    );
    const parts: string[] = [];
    let at = 0;
    for (const { start, end } of objects) {
      const object = xml.slice(start, end);
      const content = await this.#htmlOf(object, diagrams, takeChart);
      const texts = readableShape.test(object) ? [] : [...outermost(object, textBoxTag)];
      if (content === "" && texts.length === 0) continue;
      parts.push(xml.slice(at, end));
      if (content !== "") {
        parts.push(`<w:bookmarkStart w:name="${this.#bookmark}${this.#contents.length}"/>`);
        this.#contents.push(content);
      }
      for (const text of texts) parts.push(`<w:pict>${object.slice(text.start, text.end)}</w:pict>`);
      at = end;
    }
    return parts.join("") + xml.slice(at);
  }

  /** Puts what the objects say into the document's HTML, and counts what has no place there, such as deleted ones. */
  fill(html: string): string {
    const anchor = new RegExp(`<a id="${this.#bookmark}(\\d+)"></a>`, "g");
    const missing = new Set(this.#contents.keys());
    const besideHeadings = html.replace(
      heading,
      (whole, words: string, end: string) => words.replace(anchor, "") + end + (whole.match(anchor) ?? []).join(""),
    );
    const filled = besideHeadings.replace(anchor, (_, i: string) => {
      missing.delete(Number(i));
      return this.#contents[Number(i)] ?? "";
    });
    for (const i of missing) this.#skipped += lengthOf(this.#contents[i] ?? "");
    return filled.replace(captionedPicture, (_, description: string) => {
      this.#skipped += description.length;
      return "";
    });
  }

  async #htmlOf(
    xml: string,
    diagrams: ReadonlyMap<string, string>,
    takeChart: (id: string) => OfficeChart | undefined,
  ): Promise<string> {
    const parts: string[] = [];
    const diagramIds = new Set<string>();
    const descriptions = new Set<string>();
    readXml(xml, {
      open: ({ name, attributes }) => {
        if (name === "docPr" || attributes.alt !== undefined) {
          // A shape stands twice, once for programs that know no others than those of old.
          const { text, skippedCharacters } = describePicture(attributes);
          if (!descriptions.has(text)) parts.push(pictureHtml(text));
          descriptions.add(text);
          this.#skipped += skippedCharacters;
        } else if (name === "chart") parts.push(chartHtml(takeChart(attributes.id ?? "")));
        else if (name === "relIds") diagramIds.add(attributes.dm ?? "");
      },
    });
    for (const id of diagramIds) parts.push(await this.#diagramHtml(diagrams.get(id)));
    return parts.join("");
  }

  async #diagramHtml(target = ""): Promise<string> {
    const xml = this.#diagrams.has(target) ? undefined : await this.#archive.text(target);
    if (xml === undefined) return "";
    this.#diagrams.add(target);
    const writer = new BlockWriter();
    const skipped = writeDrawing(xml, writer, { source: {} });
    this.#skipped += skipped;
    const { text, blocks } = writer.finish();
    return blocks.map(({ start, end }) => `<p>${xmlEscaped(text.slice(start, end))}</p>`).join("");
  }
}

function chartHtml(chart: OfficeChart | undefined): string {
  if (chart === undefined) return "";
  const caption = chart.caption === "" ? "" : `<figcaption>${xmlEscaped(chart.caption)}</figcaption>`;
  const row = (cells: readonly string[]): string =>
    `<tr>${cells.map((cell) => `<td>${xmlEscaped(cell)}</td>`).join("")}</tr>`;
  return caption + chart.tables.map((rows) => `<table>${rows.map(row).join("")}</table>`).join("");
}

/** How many letters an object says. */
function lengthOf(html: string): number {
  return html.replace(/<img alt="([^"]*)">/g, "$1").replace(/<[^>]*>/g, "").length;
}

function pictureHtml(description: string): string {
  return description === "" ? "" : `<img alt="${xmlEscaped(description).replaceAll('"', "&quot;")}">`;
}

/**
 * The elements that stand in no other of their kind, in order.
 * @param tag Matches their tags; its group is the slash of those that end.
 */
function* outermost(xml: string, tag: RegExp): Generator<{ start: number; end: number }> {
  let depth = 0;
  let start = 0;
  for (const { 0: whole, 1: slash, index } of xml.matchAll(tag)) {
    if (slash === "" && whole.endsWith("/>")) continue;
    if (slash === "") {
      if (depth++ === 0) start = index;
    } else if (depth > 0 && --depth === 0) yield { start, end: index + whole.length };
  }
}
