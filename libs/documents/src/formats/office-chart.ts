import type { SourceReference } from "../block.js";
import type { BlockWriter } from "./block-writer.js";
import { ChartSeriesList } from "./chart-series.js";
import { chartTables, joined, type Points } from "./chart-tables.js";
import { isoDateOfSerial } from "./office-dates.js";
import { readXml } from "./xml-events.js";

/** Cells of its tables; a chart of more draws curves whose points no one reads. */
const maxCells = 65_536;
/** What a chart of an Office document says. */
export interface OfficeChart {
  /** Its title, with the titles of the axes of its values in brackets, and words beside its points; may be empty. */
  readonly caption: string;
  /** What its categories are; may be empty. */
  readonly categoryTitle: string;
  /** One for each run of series that have the same categories: the names of the series above, a row for each category. */
  readonly tables: readonly (readonly (readonly string[])[])[];
  /** Names of the sheets that all its values are from; undefined where some are its own, or of another file. */
  readonly sheets: ReadonlySet<string> | undefined;
  /** Characters of what is over the limit, and of what it holds beside its values, such as series that are filtered out. */
  readonly skippedCharacters: number;
}

interface Axis {
  kind: string;
  /** Side of the chart that it is on: b, t, l or r. */
  side: string;
  readonly title: string[];
}

const axisKinds = new Set(["catAx", "dateAx", "valAx", "serAx", "axis"]);
/** What these hold is not shown, or is no value of a series. */
const asides = new Set(["extLst", "pivotFmts", "trendline", "errBars"]);
/** Texts of the cells that a reference is to. */
export type CellLookup = (reference: string) => readonly string[];

/**
 * Reads a chart (DrawingML charts, ECMA-376 part 1, 21.2, and those of Office 2016, MS-ODRAWXML 2.24.3) with the values that
 * were last drawn, up to 65,536 cells of tables. Dates are written as ISO 8601.
 * @param cellsAt Finds values where the chart has only references, as charts have that no one has looked at yet.
 * @throws Error when it is not well-formed.
 */
export function readChart(xml: string, cellsAt: CellLookup = () => []): OfficeChart {
  const reader = new ChartReader(cellsAt);
  readXml(xml, {
    open: ({ name, attributes }) => reader.open(name, attributes),
    text: (text) => reader.addText(text),
    close: (name) => reader.close(name),
  });
  return reader.finish();
}

/** Adds a chart to a text: its title as a caption, and its values as tables. */
export function writeChart(chart: OfficeChart, writer: BlockWriter, source: SourceReference): void {
  writer.add(chart.caption, { kind: "caption", source });
  for (const table of chart.tables) writer.addTable(table, source);
}

class ChartReader {
  readonly #cellsAt: CellLookup;
  readonly #path: string[] = [];
  readonly #title: string[] = [];
  readonly #labels: string[] = [];
  readonly #series = new ChartSeriesList();
  readonly #axes: Axis[] = [];
  readonly #sheets = new Set<string>();
  readonly #namesOfData = new Map<string, string[]>();
  #seriesName: string[] = [];
  #hasOwnValues = false;
  #is1904 = false;
  #asideDepth = 0;
  /** Paragraphs of the title, name or label being read. */
  #words: string[] | undefined;
  /** Where the cached values being read go. */
  #points: Points | undefined;
  #isDate = false;
  #index = 0;
  #text = "";
  #cells = 0;
  #skipped = 0;
  #reference = "";

  constructor(cellsAt: CellLookup) {
    this.#cellsAt = cellsAt;
  }

  open(name: string, attributes: Readonly<Record<string, string>>): void {
    const above = this.#path.at(-1) ?? "";
    this.#path.push(name);
    this.#text = "";
    if (this.#asideDepth > 0 || asides.has(name)) this.#asideDepth++;
    else if (name === "ser" && this.#takeCell()) this.#series.start();
    else if (name === "data" && this.#takeCell()) this.#startData(attributes.id ?? "");
    else if (name === "series") this.#seriesName = [];
    else if (name === "dataId") this.#nameData(attributes.val ?? "");
    else if (name === "strDim" || name === "numDim")
      this.#points = this.#series.pointsOf(partOf(attributes.type ?? ""));
    else if (name === "catScaling") this.#setAxis({ kind: "catAx" });
    else if (axisKinds.has(name) && this.#takeCell()) this.#axes.push({ kind: name, side: "", title: [] });
    else if (name === "axPos") this.#setAxis({ side: attributes.val ?? "" });
    else if (name === "title") this.#words = axisKinds.has(above) ? this.#axes.at(-1)?.title : this.#title;
    else if (name === "tx" && above === "ser") this.#words = this.#series.lastName;
    else if (name === "tx" && above === "series") this.#words = this.#seriesName;
    else if (name === "tx" && above === "dLbl") this.#words = this.#labels;
    else if (name === "p" && this.#words && this.#takeCell()) this.#words.push("");
    else if (name === "br") this.#addWords(" ");
    else if (above === "ser") this.#points = this.#series.pointsOf(name);
    else if (name === "lvl") {
      this.#points = this.#series.nextLevel(this.#points);
      this.#isDate = isDateFormat(attributes.formatCode ?? "");
    } else if (name === "pt") this.#index = Number(attributes.idx);
    else if (name === "date1904") this.#is1904 = attributes.val !== "0";
    else if (name.endsWith("Cache")) this.#isDate = false;
    else if (name.endsWith("Lit")) {
      this.#isDate = false;
      this.#hasOwnValues = true;
    }
  }

  addText(text: string): void {
    this.#text += text;
  }

  close(name: string): void {
    const text = this.#text;
    this.#text = "";
    this.#path.pop();
    const above = this.#path.at(-1) ?? "";
    if (this.#asideDepth > 0) {
      this.#asideDepth--;
      if (name === "t" || name === "v") this.#skipped += text.trim().length;
    } else if (name === "formatCode") this.#isDate = isDateFormat(text);
    else if (name === "f") this.#addReference(text);
    else if (name.endsWith("Ref")) this.#lookUp();
    else if (name.endsWith("Dim")) {
      this.#lookUp();
      this.#points = undefined;
    } else if ((name === "v" || name === "pt") && this.#points) this.#addPoint(text.trim());
    else if (name === "v") this.#addName(text, above);
    else if (name === "t" && above === "r") this.#addWords(text);
    // What a field such as the value of a point was last filled with.
    else if (name === "t") this.#skipped += text.trim().length;
    else if (name === "title" || name === "tx") this.#words = undefined;
    else if (name === "ser" || name === "data") this.#cells -= this.#series.end();
    else if (above === "ser") this.#points = undefined;
  }

  finish(): OfficeChart {
    const hasCategories = this.#axes.some(({ kind }) => kind === "catAx" || kind === "dateAx");
    const isOfCategories = ({ kind, side }: Axis): boolean =>
      hasCategories ? kind === "catAx" || kind === "dateAx" : side === "b" || side === "t";
    const title = joined(this.#title, " ");
    const values = axisTitles(this.#axes.filter((axis) => !isOfCategories(axis)));
    const categoryTitle = axisTitles(this.#axes.filter(isOfCategories));
    const { tables, skippedCharacters } = chartTables(this.#series.all, categoryTitle, maxCells);
    const heading = title === "" || values === "" ? title + values : `${title} (${values})`;
    return {
      caption: joined([heading, ...this.#labels], "\n"),
      categoryTitle,
      tables,
      sheets: this.#hasOwnValues ? undefined : this.#sheets,
      skippedCharacters: this.#skipped + skippedCharacters,
    };
  }

  #takeCell(): boolean {
    return ++this.#cells <= maxCells;
  }

  #setAxis(known: Partial<Axis>): void {
    Object.assign(this.#axes.at(-1) ?? {}, known);
  }

  /** Charts of Office 2016 have their values before the series, which say by an id which are theirs. */
  #startData(id: string): void {
    this.#series.start();
    this.#namesOfData.set(id, this.#series.lastName ?? []);
  }

  #nameData(id: string): void {
    const name = this.#namesOfData.get(id);
    if (name?.length === 0) name.push(joined(this.#seriesName, " "));
  }

  #addPoint(text: string): void {
    if (text === "") return;
    if (this.#index >= 0 && this.#takeCell()) {
      this.#points?.set(this.#index, this.#isDate ? isoDateOfSerial(text, this.#is1904) : text);
    } else this.#skipped += text.length;
  }

  /** A name that stands in a cell or, right below `tx`, is the chart's own. */
  #addName(text: string, above: string): void {
    if (this.#words !== undefined && this.#takeCell()) this.#words.push(text);
    else this.#skipped += text.trim().length;
    if (above === "tx") this.#hasOwnValues = true;
  }

  /** Takes values from the cells of a reference that has none with it. */
  #lookUp(): void {
    const isMissing = (this.#points ?? this.#words ?? [""]).values().next().done;
    if (!isMissing || this.#cells >= maxCells) return;
    this.#isDate = false;
    for (const [i, text] of this.#cellsAt(this.#reference).entries()) {
      this.#index = i;
      // Empty cells have been looked at as well.
      if (text === "") this.#cells++;
      if (this.#points) this.#addPoint(text);
      else this.#addName(text, "");
    }
  }

  #addWords(text: string): void {
    const last = (this.#words?.length ?? 0) - 1;
    if (this.#words === undefined || last < 0) this.#skipped += text.trim().length;
    else this.#words[last] += text;
  }

  /** Notes which sheet a reference such as `'Oil 2024'!$A$1:$A$9` is to; other files have brackets in it. */
  #addReference(reference: string): void {
    this.#reference = reference;
    const [, quoted, plain] = /^\(?(?:'((?:[^']|'')*)'|([^'!]+))!/.exec(reference.trim()) ?? [];
    const sheet = quoted?.replaceAll("''", "'") ?? plain;
    if (sheet === undefined || sheet.includes("[")) this.#hasOwnValues = true;
    else this.#sheets.add(sheet);
  }
}

function axisTitles(axes: readonly Axis[]): string {
  return joined([...new Set(axes.map(({ title }) => joined(title, " ")))], ", ");
}

/** What the values of a dimension are in older charts. */
function partOf(dimension: string): string {
  if (dimension === "x") return "xVal";
  return dimension === "size" || dimension === "y" ? "val" : dimension;
}

/** Whether a format of numbers shows days: it has letters for them, beside what stands in it as it is. */
function isDateFormat(code: string): boolean {
  return /[dy]/i.test(code.slice(0, 256).replace(/"[^"]*"|\[[^\]]*\]|\\./g, ""));
}
