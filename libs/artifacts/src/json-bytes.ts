import { maxFloat32TextBytes, writeFloat32, writeUint } from "./float32-text.js";

/** JSON text in the making, as UTF-8 bytes: many times faster than strings where most of the text is numbers. */
export class JsonBytes {
  #bytes = Buffer.allocUnsafe(2 ** 16);
  #length = 0;

  /** The bytes so far: a view that holds until the next call. */
  get bytes(): Buffer {
    return this.#bytes.subarray(0, this.#length);
  }

  clear(): this {
    this.#length = 0;
    return this;
  }

  /** Appends text as it is. */
  text(text: string): this {
    // A UTF-16 unit takes at most three bytes of UTF-8.
    this.#reserve(text.length * 3);
    this.#length += this.#bytes.write(text, this.#length);
    return this;
  }

  /** Appends bytes that are JSON already. */
  raw(bytes: Uint8Array): this {
    this.#reserve(bytes.length);
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.length;
    return this;
  }

  /** Appends a value as `JSON.stringify` writes it. */
  value(value: unknown): this {
    return this.text(JSON.stringify(value));
  }

  /**
   * Appends a list of float32 values, each in the shortest form that reads back as the same float32.
   * @throws RangeError when a value is not finite.
   */
  floats(values: ArrayLike<number>): this {
    return this.#list(values, writeFloat32);
  }

  /** Appends a list of integers from 0 to 2^32 - 1. */
  uints(values: ArrayLike<number>): this {
    return this.#list(values, writeUint);
  }

  #list(values: ArrayLike<number>, write: (bytes: Buffer, at: number, value: number) => number): this {
    this.#reserve(2 + values.length * (maxFloat32TextBytes + 1));
    const bytes = this.#bytes;
    let at = this.#length;
    bytes[at++] = 0x5b;
    for (let i = 0; i < values.length; i++) {
      if (i > 0) bytes[at++] = 0x2c;
      at = write(bytes, at, values[i] ?? 0);
    }
    bytes[at++] = 0x5d;
    this.#length = at;
    return this;
  }

  #reserve(count: number): void {
    if (this.#length + count <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafe(Math.max(this.#length + count, this.#bytes.length * 2));
    this.#bytes.copy(larger, 0, 0, this.#length);
    this.#bytes = larger;
  }
}
