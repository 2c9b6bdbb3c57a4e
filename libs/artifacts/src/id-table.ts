const idBytes = 16;

/** Row numbers by UUID, in 24 to 40 bytes per row: what a verification keeps of the whole run. */
export class IdTable {
  #ids = Buffer.alloc(idBytes * 1024);
  /** Row + 1, or 0; open addressing, a power of two long, at most half full. */
  #slots = new Uint32Array(2048);
  #count = 0;

  /**
   * Adds the next row.
   * @returns the earlier row with the same id, or undefined.
   */
  add(id: string): number | undefined {
    if (this.#count * 2 >= this.#slots.length) this.#grow();
    const bytes = parse(id);
    const slot = this.#find(bytes, 0);
    const earlier = this.#slots[slot] ?? 0;
    bytes.copy(this.#ids, this.#count * idBytes);
    this.#count++;
    if (earlier > 0) return earlier - 1;
    this.#slots[slot] = this.#count;
    return undefined;
  }

  /** Counts a row whose id is not known. */
  skip(): void {
    if (this.#count * 2 >= this.#slots.length) this.#grow();
    this.#ids.fill(0, this.#count * idBytes, ++this.#count * idBytes);
  }

  /** The first 63 bits of a row's id, as in the id-mapped FAISS file; 0 for one that is not known. */
  first63BitsOf(row: number): bigint {
    return row < this.#count ? this.#ids.readBigUInt64BE(row * idBytes) >> 1n : 0n;
  }

  /** The first row with this id. */
  rowOf(id: string): number | undefined {
    const row = isUuid(id) ? (this.#slots[this.#find(parse(id), 0)] ?? 0) : 0;
    return row > 0 ? row - 1 : undefined;
  }

  /** The slot of an id, or the free one where it belongs. The bytes are random enough to be their own hash. */
  #find(bytes: Buffer, offset: number): number {
    const mask = this.#slots.length - 1;
    let slot = bytes.readUInt32LE(offset) & mask;
    for (let row = this.#slots[slot] ?? 0; row > 0; row = this.#slots[slot] ?? 0) {
      const at = (row - 1) * idBytes;
      if (this.#ids.compare(bytes, offset, offset + idBytes, at, at + idBytes) === 0) break;
      slot = (slot + 1) & mask;
    }
    return slot;
  }

  #grow(): void {
    this.#slots = new Uint32Array(this.#slots.length * 2);
    const ids = Buffer.alloc(this.#ids.length * 2);
    this.#ids.copy(ids);
    this.#ids = ids;
    for (let row = 0; row < this.#count; row++) {
      const slot = this.#find(ids, row * idBytes);
      if (this.#slots[slot] === 0 && this.first63BitsOf(row) > 0n) this.#slots[slot] = row + 1;
    }
  }
}

const parse = (id: string): Buffer => Buffer.from(id.replaceAll("-", ""), "hex");

const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** Whether a value is a UUID in lowercase, as Ragline writes them. */
export const isUuid = (value: unknown): value is string => typeof value === "string" && uuid.test(value);
