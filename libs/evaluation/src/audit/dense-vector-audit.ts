import { createHash } from "node:crypto";
import { type DenseBlock, toFloat32Bytes } from "@ragline/vectors";
import { RowTally } from "./row-tally.js";

/** How far from 1 the Euclidean length of a vector may be; what rounding of float32 leaves is far below. */
const maxNormError = 0.001;

/** Chunks that a model tells apart no more, though their texts differ. */
export interface IdenticalVectors {
  /** Chunks in all such groups. */
  readonly chunks: number;
  readonly groups: number;
  /** Rows of the largest group, ten at most. */
  readonly largest: readonly number[];
  readonly largestSize: number;
}

/** Looks at the dense vectors of one model as they are read for something else. Memory: 8 bytes for each chunk. */
export class DenseVectorAudit {
  /** Vectors whose length is not 1. */
  readonly outlierNorms = new RowTally();
  /** A key of each row's bytes; NaN where the row has no vector. */
  readonly #keys: Float64Array;

  /** @param chunks rows of the run. */
  constructor(chunks: number) {
    this.#keys = new Float64Array(chunks).fill(Number.NaN);
  }

  /** Looks at the rows of a block; each row once, in ascending order. */
  add({ firstIndex, columns, values }: DenseBlock): void {
    const bytes = toFloat32Bytes(values);
    for (let r = 0; r * columns < values.length; r++) {
      let squares = 0;
      for (let i = r * columns; i < (r + 1) * columns; i++) squares += (values[i] as number) ** 2;
      if (!(Math.abs(Math.sqrt(squares) - 1) <= maxNormError)) this.outlierNorms.add(firstIndex + r);
      const digest = createHash("sha1")
        .update(bytes.subarray(r * columns * 4, (r + 1) * columns * 4))
        .digest();
      this.#keys[firstIndex + r] = digest.readUIntBE(0, 6) * 32 + (digest.readUInt8(6) >> 3);
    }
  }

  /** Whether a row has a vector. */
  has(row: number): boolean {
    return !Number.isNaN(this.#keys[row] as number);
  }

  /** Rows without a vector. */
  get missing(): RowTally {
    const missing = new RowTally();
    for (let row = 0; row < this.#keys.length; row++) if (!this.has(row)) missing.add(row);
    return missing;
  }

  /**
   * Chunks with the same vector and different texts.
   * @param textKeys `textKey` of each row's text.
   */
  identical(textKeys: Float64Array): IdenticalVectors {
    const keys = this.#keys;
    const order = Uint32Array.from(keys.keys())
      .filter((row) => this.has(row))
      .sort((a, b) => (keys[a] as number) - (keys[b] as number) || a - b);
    let [chunks, groups, largestSize] = [0, 0, 0];
    let largest: number[] = [];
    for (let from = 0, to = 0; from < order.length; from = to) {
      const first = order[from] as number;
      let differ = false;
      for (to = from + 1; to < order.length && keys[order[to] as number] === keys[first]; to++)
        differ ||= textKeys[order[to] as number] !== textKeys[first];
      if (!differ) continue;
      groups++;
      chunks += to - from;
      if (to - from <= largestSize) continue;
      largestSize = to - from;
      largest = [...order.subarray(from, Math.min(to, from + 10))];
    }
    return { chunks, groups, largest, largestSize };
  }
}
