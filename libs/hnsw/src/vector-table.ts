import { type VectorMemory, valuesPerStep, vectorMemory } from "./inner-product-module.js";

/**
 * A matrix of float32 rows in memory, whose rows are compared by inner product. Takes
 * `rows` x `columns` x 4 bytes, which must be less than 4 GiB.
 */
export class VectorTable {
  readonly rows: number;
  readonly columns: number;
  readonly spareRows: number;
  /** Bytes from one row to the next. */
  readonly #stride: number;
  readonly #memory: VectorMemory;

  /**
   * A table of zeros.
   * @param spareRows rows behind those of the table: the places for queries and their scores.
   * @throws RangeError when it would take 4 GiB or more, or more than there is.
   */
  constructor(rows: number, columns: number, spareRows = 1) {
    this.rows = rows;
    this.columns = columns;
    this.spareRows = spareRows;
    const padded = Math.ceil(columns / valuesPerStep) * valuesPerStep;
    this.#stride = padded * 4;
    this.#memory = vectorMemory((rows + spareRows) * this.#stride);
  }

  /** Row number of the first spare row: the place for a query. */
  get queryRow(): number {
    return this.rows;
  }

  /**
   * Writes consecutive rows.
   * @throws RangeError when they are no whole rows or go past the end.
   */
  set(firstRow: number, values: Float32Array): void {
    const count = values.length / this.columns;
    if (!Number.isInteger(count) || firstRow + count > this.rows + this.spareRows)
      throw new RangeError(
        `${values.length} values from row ${firstRow} do not fit a table of ${this.rows} rows of ${this.columns}`,
      );
    // Rows without padding between them are one piece.
    if (this.columns * 4 === this.#stride) {
      this.#memory.values.set(values, firstRow * this.columns);
      return;
    }
    for (let row = 0; row < count; row++) {
      const from = row * this.columns;
      this.#memory.values.set(values.subarray(from, from + this.columns), (firstRow + row) * (this.#stride / 4));
    }
  }

  /** A row as a view that shares the table's memory. */
  row(row: number): Float32Array {
    const from = row * (this.#stride / 4);
    return this.#memory.values.subarray(from, from + this.columns);
  }

  /** Inner product of two rows, summed in float32. */
  similarity(a: number, b: number): number {
    const start = a * this.#stride;
    return this.#memory.innerProduct(start, b * this.#stride, start + this.#stride);
  }

  /** How many rows `similarities` compares at once, at most. */
  get maxSimilarities(): number {
    return this.#stride / 4;
  }

  /**
   * Inner products of row `a` with `count` rows from `first` on, the same as `similarity` gives. They are in the memory of row
   * `target` until it is written again.
   */
  similarities(a: number, first: number, count: number, target: number): Float32Array {
    const stride = this.#stride;
    const [start, rows, results] = [a * stride, first * stride, target * stride];
    if (count > 0) this.#memory.innerProducts(start, start + stride, rows, rows + count * stride, results);
    return this.#memory.values.subarray(results / 4, results / 4 + count);
  }
}
