const keptRows = 10;

/** Rows that something is true of: how many there are, and the first of them. */
export class RowTally {
  #count = 0;
  readonly #first: number[] = [];

  /** Counts a row; they come in ascending order. */
  add(row: number): void {
    this.#count++;
    if (this.#first.length < keptRows) this.#first.push(row);
  }

  get count(): number {
    return this.#count;
  }

  /** Ten of them at most. */
  get first(): readonly number[] {
    return this.#first;
  }
}
