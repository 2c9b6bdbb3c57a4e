import { VectorTable } from "@ragline/hnsw";
import type { DenseBlock } from "@ragline/vectors";
import { NonFiniteScoreError, type ScoredRow, TopK } from "./top-k.js";

/** How to search a {@link DenseIndex}. */
export interface DenseSearchOptions {
  /** Rows to return, at most. */
  readonly k: number;
  /** Rows that may be found, 1 for each; the length is that of the corpus. @default all */
  readonly allowed?: Uint8Array;
}

/** Half a unit in the last place of float32, relative. */
const float32Rounding = 2 ** -24;

/**
 * Exact search by inner product over vectors in memory. Every row is compared in float32 SIMD arithmetic, which finds all
 * rows that can be among the best; these are then compared in float64 in the order of the columns. Results are those of
 * `denseTopK`, to the bit. Takes rows x columns x 4 bytes.
 */
export class DenseIndex {
  readonly table: VectorTable;
  readonly #scores: Float32Array;
  /** Length of the longest row. */
  readonly #maxNorm: number;

  private constructor(table: VectorTable, maxNorm: number) {
    this.table = table;
    this.#scores = new Float32Array(table.rows);
    this.#maxNorm = maxNorm;
  }

  /**
   * Reads all vectors.
   * @throws RangeError when they would take 4 GiB or more, or a block does not fit the shape.
   */
  static async load(
    blocks: AsyncIterable<DenseBlock> | Iterable<DenseBlock>,
    rows: number,
    columns: number,
  ): Promise<DenseIndex> {
    const table = new VectorTable(rows, columns);
    for await (const block of blocks) table.set(block.firstIndex, block.values);
    let squared = 0;
    for (let row = 0; row < rows; row++) {
      const square = table.similarity(row, row);
      // "not <=": NaN is to be kept as well, so that a search tells of it.
      if (!(square <= squared)) squared = square;
    }
    return new DenseIndex(table, Math.sqrt(squared));
  }

  /**
   * The k best rows of one query, score descending, ties by row ascending.
   * @param query as many values as there are columns.
   * @throws RangeError when the query has another length.
   * @throws NonFiniteScoreError when a score is NaN or infinite.
   */
  search(query: Float32Array, { k, allowed }: DenseSearchOptions): ScoredRow[] {
    const { table } = this;
    if (query.length !== table.columns)
      throw new RangeError(`the query has ${query.length} values; rows have ${table.columns}`);
    table.set(table.queryRow, query);
    const scores = this.#scores;
    const rough = new TopK(k);
    for (let row = 0; row < table.rows; row++) {
      if (allowed !== undefined && allowed[row] !== 1) continue;
      const score = table.similarity(table.queryRow, row);
      if (!Number.isFinite(score)) throw new NonFiniteScoreError(row, 0, score);
      scores[row] = score;
      if (score >= rough.threshold) rough.offer(row, score);
    }
    // Higham, "Accuracy and Stability of Numerical Algorithms", 3.1: |error| <= n u |a| |b| for any order of the sum.
    const bound =
      1.01 *
      table.columns *
      float32Rounding *
      this.#maxNorm *
      Math.sqrt(table.similarity(table.queryRow, table.queryRow));
    const least = rough.threshold - 2 * bound;
    const best = new TopK(k);
    const wide = Float64Array.from(query);
    for (let row = 0; row < table.rows; row++) {
      if ((allowed !== undefined && allowed[row] !== 1) || (scores[row] as number) < least) continue;
      best.offer(row, exactProduct(wide, table.row(row)));
    }
    return best.ranked();
  }
}

function exactProduct(query: Float64Array, row: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < query.length; i++) sum += (query[i] as number) * (row[i] as number);
  return sum;
}
