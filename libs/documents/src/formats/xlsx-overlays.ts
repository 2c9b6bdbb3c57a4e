import type { ParsedText } from "../source-document.js";
import { BlockWriter } from "./block-writer.js";
import { cellsAt, type SheetRows } from "./cell-references.js";
import type { OfficeChart } from "./office-chart.js";
import { OfficeCharts } from "./office-charts.js";
import { writeDrawing } from "./office-drawing.js";
import { readRelations } from "./office-relations.js";
import type { ZipArchive } from "./zip-archive.js";

/** What floats over the cells of a workbook's sheets: texts and charts. */
export class SheetOverlays {
  readonly #archive: ZipArchive;
  readonly #charts: OfficeCharts;
  readonly #drawings = new Set<string>();
  #skipped = 0;

  /** @param sheets Their rows, for charts that have no values but references to cells. */
  constructor(archive: ZipArchive, sheets: ReadonlyMap<string, SheetRows>) {
    this.#archive = archive;
    this.#charts = new OfficeCharts(archive, (reference) => cellsAt(reference, sheets));
  }

  /** Letters left out of the drawings and charts that were read. */
  get skippedCharacters(): number {
    return this.#skipped + this.#charts.skippedCharacters;
  }

  /** Whether a file in the archive is a drawing or a chart that was read. */
  wasRead(name: string): boolean {
    return this.#drawings.has(name) || this.#charts.wasRead(name);
  }

  /**
   * Reads what floats over a sheet. A chart that shows nothing but cells of this sheet does not repeat them.
   * @param part Name of the sheet's file.
   */
  async of(part: string, sheet: string): Promise<ParsedText> {
    const writer = new BlockWriter();
    for (const { type, target } of await readRelations(this.#archive, part)) {
      const xml = type === "drawing" && !this.#drawings.has(target) ? await this.#archive.text(target) : undefined;
      if (xml === undefined) continue;
      this.#drawings.add(target);
      const take = await this.#charts.of(await readRelations(this.#archive, target));
      const takeChart = (id: string): OfficeChart | undefined => this.#withoutCellsOf(sheet, take(id));
      const skipped = writeDrawing(xml, writer, { source: { sheet }, takeChart });
      this.#skipped += skipped;
    }
    return writer.finish();
  }

  #withoutCellsOf(sheet: string, chart: OfficeChart | undefined): OfficeChart | undefined {
    if (chart?.sheets === undefined || ![...chart.sheets].every((name) => name === sheet)) return chart;
    const { caption, categoryTitle, tables } = chart;
    const repeated = tables.flat(2).reduce((sum, cell) => sum + cell.length, 0);
    this.#skipped += repeated - tables.length * categoryTitle.length;
    return { ...chart, caption: `${caption}\n${categoryTitle}`.trim(), tables: [] };
  }
}
