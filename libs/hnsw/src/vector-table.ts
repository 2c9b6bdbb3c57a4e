import { type InnerProduct, valuesPerStep, vectorMemory } from "./inner-product-module.js";

/**
 * A matrix of float32 rows in memory, whose rows are compared by inner product. Takes
 * `rows` x `columns` x 4 bytes, which must be less than 4 GiB.
 */
export class VectorTable {
  readonly rows: number;
  readonly columns: number;
  readonly #stride: number;
  readonly #values: Float32Array;
  readonly #innerProduct: InnerProduct;

  /**
   * A table of zeros.
   * @throws RangeError when it would take 4 GiB or more, or more than there is.
   */
  constructor(rows: number, columns: number) {
    this.rows = rows;
    this.columns = columns;
    const padded = Math.ceil(columns / valuesPerStep) * valuesPerStep;
    this.#stride = padded * 4;
    // One row more than asked for: a query has its place there.
    const { values, innerProduct } = vectorMemory((rows + 1) * this.#stride);
    this.#values = values;
    this.#innerProduct = innerProduct;
  }

  /** Row number of the place for a query. */
  get queryRow(): number {
    return this.rows;
  }

  /**
   * Writes consecutive rows.
   * @throws RangeError when they are no whole rows or go past the end.
   */
  set(firstRow: number, values: Float32Array): void {
    const count = values.length / this.columns;
    if (!Number.isInteger(count) || firstRow + count > this.rows + 1)
      throw new RangeError(
        `${values.length} values from row ${firstRow} do not fit a table of ${this.rows} rows of ${this.columns}`,
      );
    // Rows without padding between them are one piece.
    if (this.columns * 4 === this.#stride) {
      this.#values.set(values, firstRow * this.columns);
      return;
    }
    for (let row = 0; row < count; row++) {
      const from = row * this.columns;
      this.#values.set(values.subarray(from, from + this.columns), (firstRow + row) * (this.#stride / 4));
    }
  }

  /** A row as a view that shares the table's memory. */
  row(row: number): Float32Array {
    const from = row * (this.#stride / 4);
    return this.#values.subarray(from, from + this.columns);
  }

  /** Inner product of two rows, summed in float32. */
  similarity(a: number, b: number): number {
    const start = a * this.#stride;
    return this.#innerProduct(start, b * this.#stride, start + this.#stride);
  }
}
