import { type CellLookup, type OfficeChart, readChart } from "./office-chart.js";
import type { Relation } from "./office-relations.js";
import type { ZipArchive } from "./zip-archive.js";

/** Charts whose XML is longer hold many times more values than are read of a chart, and would take long to look through. */
const maxXmlLength = 16 * 1024 * 1024;

/** The charts of an Office document, each of which is read once, and which of them were. */
export class OfficeCharts {
  readonly #archive: ZipArchive;
  readonly #read = new Set<string>();
  readonly #cellsAt: CellLookup | undefined;
  #skipped = 0;

  /** @param cellsAt Finds the values of charts that have only references. */
  constructor(archive: ZipArchive, cellsAt?: CellLookup) {
    this.#archive = archive;
    this.#cellsAt = cellsAt;
  }

  /** Letters that the charts leave out which were read. */
  get skippedCharacters(): number {
    return this.#skipped;
  }

  /** Whether a file in the archive is a chart that was read. */
  wasRead(name: string): boolean {
    return this.#read.has(name);
  }

  /**
   * Looks at the charts that a part of the document points to; those that are damaged or longer than any real one stay
   * unread.
   * @returns what reads a chart by the id of its relation, undefined where there is none or it was read before
   */
  async of(relations: readonly Relation[]): Promise<(id: string) => OfficeChart | undefined> {
    const targets = new Map<string, string>();
    const sources = new Map<string, string>();
    for (const { id, type, target } of relations) {
      if (type !== "chart" && type !== "chartEx") continue;
      targets.set(id, target);
      const xml = sources.has(target) || this.#read.has(target) ? undefined : await this.#archive.text(target);
      if (xml !== undefined && xml.length <= maxXmlLength) sources.set(target, xml);
    }
    return (id) => {
      const target = targets.get(id) ?? "";
      const chart = this.#read.has(target) ? undefined : readUndamaged(sources.get(target), this.#cellsAt);
      if (chart === undefined) return undefined;
      this.#read.add(target);
      this.#skipped += chart.skippedCharacters;
      return chart;
    };
  }
}

function readUndamaged(xml: string | undefined, cellsAt: CellLookup | undefined): OfficeChart | undefined {
  try {
    const chart = xml === undefined ? undefined : readChart(xml, cellsAt);
    return chart?.caption === "" && chart.tables.length === 0 ? undefined : chart;
  } catch {
    return undefined;
  }
}
