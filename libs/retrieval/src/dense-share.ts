import { VectorTable } from "@ragline/hnsw";
import { NonFiniteScoreError, type ScoredRow, TopK } from "./top-k.js";

/** How to search dense vectors. */
export interface DenseSearchOptions {
  /** Rows to return for each query, at most. */
  readonly k: number;
  /** Rows that may be found, 1 for each; the length is that of the corpus. @default all */
  readonly allowed?: Uint8Array;
}

/** The rows of a share. */
export interface DenseShape {
  /** Row number in the matrix of the first one. */
  readonly firstRow: number;
  readonly rows: number;
  readonly columns: number;
}

/** Half a unit in the last place of float32, relative. */
const float32Rounding = 2 ** -24;

/** Queries that are compared with a block of rows before the next block is read. */
const queryPlaces = 16;

/** Bytes of rows in a block, about: it stays in the processor's cache while the queries take their turns. */
const blockBytes = 256 * 1024;

/**
 * Consecutive rows of a matrix, in memory, to be searched exactly by inner product. Every row is compared in float32 SIMD
 * arithmetic, which finds all rows that can be among the best; these are then compared in float64 in the order of the
 * columns. Results are those of `denseTopK`, to the bit. Takes rows x columns x 4 bytes, less than 4 GiB.
 */
export class DenseShare {
  /** Row number in the matrix of the first row. */
  readonly firstRow: number;
  readonly table: VectorTable;
  /** Square of the length of the longest row. */
  #largestSquare = 0;

  /** Rows of zeros. */
  constructor({ firstRow, rows, columns }: DenseShape) {
    this.firstRow = firstRow;
    // The last spare row is for scores.
    this.table = new VectorTable(rows, columns, queryPlaces + 1);
  }

  /**
   * Writes consecutive rows of the matrix, each once.
   * @throws RangeError when they are no whole rows or not of this share.
   */
  set(firstRow: number, values: Float32Array): void {
    const { table } = this;
    const first = firstRow - this.firstRow;
    table.set(first, values);
    for (let row = first; row < first + values.length / table.columns; row++) {
      const square = table.similarity(row, row);
      // "not <=": NaN is to be kept as well, so that a search tells of it.
      if (!(square <= this.#largestSquare)) this.#largestSquare = square;
    }
  }

  /**
   * For each query the k best rows: score descending, ties by row ascending.
   * @param queries as many values each as there are columns.
   * @throws NonFiniteScoreError when a score is NaN or infinite.
   */
  search(queries: Float32Array, options: DenseSearchOptions): ScoredRow[][] {
    const { columns } = this.table;
    const found: ScoredRow[][] = [];
    for (let at = 0; at < queries.length; at += queryPlaces * columns) {
      const group = queries.subarray(at, at + queryPlaces * columns);
      found.push(...this.#searchGroup(group, at / columns, options));
    }
    return found;
  }

  #searchGroup(queries: Float32Array, firstQuery: number, { k, allowed }: DenseSearchOptions): ScoredRow[][] {
    const { table, firstRow } = this;
    const { columns, queryRow } = table;
    table.set(queryRow, queries);
    const candidates = Array.from({ length: queries.length / columns }, (_, q) => {
      const square = table.similarity(queryRow + q, queryRow + q);
      // Higham, "Accuracy and Stability of Numerical Algorithms", 3.1: |error| <= n u |a| |b| for any order of the sum.
      const bound = 1.01 * columns * float32Rounding * Math.sqrt(this.#largestSquare * square);
      return new Candidates(k, bound);
    });
    const blockRows = Math.max(1, Math.min(table.maxSimilarities, Math.floor(blockBytes / (columns * 4))));
    for (let block = 0; block < table.rows; block += blockRows) {
      const count = Math.min(blockRows, table.rows - block);
      candidates.forEach((of, q) => {
        const scores = table.similarities(queryRow + q, block, count, queryRow + queryPlaces);
        for (let i = 0; i < count; i++) {
          const row = block + i;
          if (allowed !== undefined && allowed[firstRow + row] !== 1) continue;
          const score = scores[i] as number;
          if (!Number.isFinite(score)) throw new NonFiniteScoreError(firstRow + row, firstQuery + q, score);
          of.offer(row, score);
        }
      });
    }
    return candidates.map((of, q) => {
      const query = Float64Array.from(queries.subarray(q * columns, (q + 1) * columns));
      return of
        .best((row) => exactProduct(query, table.row(row)))
        .map(({ row, score }) => ({ row: firstRow + row, score }));
    });
  }
}

/** Rows that can be among the k best of a query, given scores that are off by no more than a bound. */
class Candidates {
  readonly #k: number;
  readonly #slack: number;
  readonly #rough: TopK;
  readonly #rows: number[] = [];
  readonly #scores: number[] = [];

  constructor(k: number, bound: number) {
    this.#k = k;
    this.#slack = 2 * bound;
    this.#rough = new TopK(k);
  }

  offer(row: number, score: number): void {
    if (score < this.#rough.threshold - this.#slack) return;
    this.#rows.push(row);
    this.#scores.push(score);
    this.#rough.offer(row, score);
  }

  /** The k best by their exact scores. */
  best(exact: (row: number) => number): ScoredRow[] {
    const least = this.#rough.threshold - this.#slack;
    const best = new TopK(this.#k);
    this.#rows.forEach((row, i) => {
      if ((this.#scores[i] as number) >= least) best.offer(row, exact(row));
    });
    return best.ranked();
  }
}

function exactProduct(query: Float64Array, row: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < query.length; i++) sum += (query[i] as number) * (row[i] as number);
  return sum;
}
