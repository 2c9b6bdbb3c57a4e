/** Weights of a few dimensions out of many. */
export interface SparseVector {
  /** Dimension ids, strictly increasing. */
  readonly indices: Uint32Array;
  /** One weight for each index. */
  readonly values: Float32Array;
}

/** Consecutive sparse rows in compressed form: row r holds `rowLengths[r]` pairs of the running indices and values. */
export interface SparseBlock {
  /** Row number of the block's first row among all rows. */
  readonly firstIndex: number;
  readonly rowLengths: ArrayLike<number>;
  readonly indices: ArrayLike<number>;
  readonly values: ArrayLike<number>;
  /** The word behind each index, beside `indices`; empty when the words are not known. */
  readonly tokens?: readonly string[];
}

/** Packs rows into one block. */
export function packSparse(firstIndex: number, rows: readonly SparseVector[]): SparseBlock {
  const total = rows.reduce((sum, row) => sum + row.indices.length, 0);
  const indices = new Uint32Array(total);
  const values = new Float32Array(total);
  let at = 0;
  for (const row of rows) {
    indices.set(row.indices, at);
    values.set(row.values, at);
    at += row.indices.length;
  }
  return { firstIndex, rowLengths: Uint32Array.from(rows, (row) => row.indices.length), indices, values };
}

/** The rows of a block, copied out of it. */
export function unpackSparse(block: SparseBlock): SparseVector[] {
  const rows: SparseVector[] = [];
  let at = 0;
  for (let r = 0; r < block.rowLengths.length; r++) {
    const end = at + (block.rowLengths[r] ?? 0);
    rows.push({
      indices: Uint32Array.from(Array.prototype.slice.call(block.indices, at, end)),
      values: Float32Array.from(Array.prototype.slice.call(block.values, at, end)),
    });
    at = end;
  }
  return rows;
}
