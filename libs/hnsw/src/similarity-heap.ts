/** A binary heap of rows, the one of the greatest key on top. */
export class SimilarityHeap {
  size = 0;
  #keys = new Float32Array(256);
  #rows = new Int32Array(256);

  /** The greatest key; -Infinity when there is none. */
  get topKey(): number {
    return this.size === 0 ? Number.NEGATIVE_INFINITY : (this.#keys[0] as number);
  }

  clear(): void {
    this.size = 0;
  }

  push(key: number, row: number): void {
    if (this.size === this.#keys.length) this.#grow();
    const keys = this.#keys;
    const rows = this.#rows;
    let at = this.size++;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      const parentKey = keys[parent] as number;
      if (parentKey >= key) break;
      keys[at] = parentKey;
      rows[at] = rows[parent] as number;
      at = parent;
    }
    keys[at] = key;
    rows[at] = row;
  }

  /** Takes the top off. There must be one. @returns its row. */
  pop(): number {
    const keys = this.#keys;
    const rows = this.#rows;
    const top = rows[0] as number;
    const size = --this.size;
    const key = keys[size] as number;
    const row = rows[size] as number;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= size) break;
      if (child + 1 < size && (keys[child + 1] as number) > (keys[child] as number)) child++;
      if ((keys[child] as number) <= key) break;
      keys[at] = keys[child] as number;
      rows[at] = rows[child] as number;
      at = child;
    }
    keys[at] = key;
    rows[at] = row;
    return top;
  }

  #grow(): void {
    const keys = new Float32Array(2 * this.#keys.length);
    const rows = new Int32Array(keys.length);
    keys.set(this.#keys);
    rows.set(this.#rows);
    this.#keys = keys;
    this.#rows = rows;
  }
}
