import type { SparseBlock } from "@ragline/vectors";
import { RowTally } from "./row-tally.js";

/** Fewer vectors have no quartiles that say anything. */
const leastVectors = 20;

/** Lengths that are far from those of the other vectors. */
export interface OutlierNorms {
  readonly count: number;
  /** The farthest ten. */
  readonly rows: readonly number[];
  /** What lies within these is no outlier. */
  readonly low: number;
  readonly high: number;
}

/** Looks at the sparse vectors of one model as they are read for something else. Memory: 4 bytes for each chunk. */
export class SparseVectorAudit {
  readonly empty = new RowTally();
  /** Euclidean lengths; 0 for an empty vector. */
  readonly #norms: Float32Array;

  /** @param chunks rows of the run. */
  constructor(chunks: number) {
    this.#norms = new Float32Array(chunks);
  }

  /** Looks at the rows of a block; each row once, in ascending order. */
  add({ firstIndex, rowLengths, values }: SparseBlock): void {
    let at = 0;
    for (let r = 0; r < rowLengths.length; r++) {
      const end = at + (rowLengths[r] as number);
      if (end === at) this.empty.add(firstIndex + r);
      let squares = 0;
      for (; at < end; at++) squares += (values[at] as number) ** 2;
      this.#norms[firstIndex + r] = Math.sqrt(squares);
    }
  }

  /** Whether a row has a vector that is not empty. */
  has(row: number): boolean {
    return (this.#norms[row] as number) > 0;
  }

  /**
   * Lengths "far out" of the quartiles: more than three times their distance below the first or above the third (Tukey,
   * "Exploratory Data Analysis", 1977). Empty vectors do not count.
   */
  outlierNorms(): OutlierNorms {
    const sorted = this.#norms.filter((norm) => norm > 0).sort();
    if (sorted.length < leastVectors) return { count: 0, rows: [], low: 0, high: Infinity };
    const quartile = (share: number): number => sorted[Math.round(share * (sorted.length - 1))] as number;
    const [first, median, third] = [quartile(0.25), quartile(0.5), quartile(0.75)];
    // Lengths that hardly differ would make outliers of the least difference.
    const reach = 3 * Math.max(third - first, 0.05 * median);
    const [low, high] = [first - reach, third + reach];
    const distance = (row: number): number =>
      Math.max(low - (this.#norms[row] as number), (this.#norms[row] as number) - high);
    let count = 0;
    let farthest: number[] = [];
    for (let row = 0; row < this.#norms.length; row++) {
      if (!this.has(row) || distance(row) <= 0) continue;
      count++;
      farthest = [...farthest, row].sort((a, b) => distance(b) - distance(a) || a - b).slice(0, 10);
    }
    return { count, rows: farthest, low: Math.max(0, low), high };
  }
}
