import type { ChartSeries, Points } from "./chart-tables.js";

/** Levels of names of categories; programs make a few. */
const maxLevels = 16;
const categoryParts = new Set(["cat", "xVal"]);
const valueParts = new Set(["val", "yVal"]);

interface OpenSeries extends ChartSeries {
  readonly name: string[];
  levels: Points[];
}

/** The series of a chart while it is read; the last is the one being read. */
export class ChartSeriesList {
  readonly #series: OpenSeries[] = [];

  get all(): readonly ChartSeries[] {
    return this.#series;
  }

  /** Paragraphs of the name of the last. */
  get lastName(): string[] | undefined {
    return this.#series.at(-1)?.name;
  }

  start(): void {
    const number = this.#series.length + 1;
    this.#series.push({ number, name: [], levels: [], values: new Map(), sizes: new Map() });
  }

  /**
   * Ends the last, which shares its categories with the one before where they are the same.
   * @returns how many names of categories it need not hold
   */
  end(): number {
    const [before, series] = this.#series.slice(-2);
    if (before === undefined || series === undefined || before.levels.length !== series.levels.length) return 0;
    if (!before.levels.every((level, i) => isEqual(level, series.levels[i]))) return 0;
    const shared = series.levels.reduce((sum, { size }) => sum + size, 0);
    series.levels = before.levels;
    return shared;
  }

  /** Where the values of a part of the last go, by the name of its element; undefined where it has none. */
  pointsOf(part: string): Points | undefined {
    const series = this.#series.at(-1);
    if (valueParts.has(part)) return series?.values;
    if (part === "bubbleSize") return series?.sizes;
    return categoryParts.has(part) ? this.#addLevel(series) : undefined;
  }

  /** Where the next level of names of categories goes; the first of several has its place already. */
  nextLevel(current: Points | undefined): Points | undefined {
    const series = this.#series.at(-1);
    const isLevel = current !== undefined && series?.levels.at(-1) === current;
    const isFull = (series?.levels.length ?? 0) >= maxLevels;
    return isLevel && current.size > 0 && !isFull ? this.#addLevel(series) : current;
  }

  #addLevel(series: OpenSeries | undefined): Points {
    const level: Points = new Map();
    series?.levels.push(level);
    return level;
  }
}

function isEqual(a: Points, b: Points | undefined): boolean {
  return a.size === b?.size && [...a].every(([place, text]) => b.get(place) === text);
}
