import type { DenseBlock } from "@ragline/vectors";
import { NonFiniteScoreError, type ScoredRow, TopK } from "./top-k.js";

/** What to search with {@link denseTopK}. */
export interface DenseTopKOptions {
  /** The corpus, each row once, in blocks of any size and order. */
  readonly blocks: AsyncIterable<DenseBlock> | Iterable<DenseBlock>;
  /** Query vectors, row after row. */
  readonly queries: Float32Array;
  /** Columns of rows and queries. */
  readonly dimension: number;
  /** How many rows to return for each query, at most. */
  readonly k: number;
  /** Rows that may be found, 1 for each; the length is that of the corpus. @default all */
  readonly allowed?: Uint8Array;
}

/** Rows and queries whose inner products are summed together, so that each loaded value is used several times. */
const tileRows = 2;
const tileQueries = 4;

/** Bytes of packed queries that are scored against a block before the next ones: they stay in the processor's cache. */
const queryGroupBytes = 256 * 1024;

/**
 * Exact search by inner product: for each query the k best rows, score descending, ties by row ascending. Every row is
 * compared; sums are taken in float64 in the order of the columns, so the result does not depend on the blocks. Memory
 * is that of one block, the queries and k rows for each query.
 * @throws RangeError when a shape does not fit the dimension.
 * @throws NonFiniteScoreError when a score is NaN or infinite.
 */
export async function denseTopK(options: DenseTopKOptions): Promise<ScoredRow[][]> {
  const { blocks, queries, dimension, k, allowed } = options;
  if (!Number.isSafeInteger(dimension) || dimension < 1) {
    throw new RangeError(`dimension is ${dimension}; it must be a positive integer`);
  }
  if (queries.length % dimension !== 0) {
    throw new RangeError(`${queries.length} query values are no whole number of vectors of dimension ${dimension}`);
  }
  const packed = packQueries(queries, dimension);
  const best = Array.from({ length: queries.length / dimension }, () => new TopK(k));
  for await (const block of blocks) {
    if (block.columns !== dimension || block.values.length % dimension !== 0) {
      throw new RangeError(
        `the block at row ${block.firstIndex} has ${block.columns} columns and ${block.values.length} values; the queries have dimension ${dimension}`,
      );
    }
    scoreBlock(block, packed, best, allowed);
  }
  return best.map((top) => top.ranked());
}

function scoreBlock(
  block: DenseBlock,
  packedQueries: Float64Array,
  best: readonly TopK[],
  allowed: Uint8Array | undefined,
): void {
  const { columns, firstIndex, values } = block;
  const rows = values.length / columns;
  const group = tileQueries * Math.max(1, Math.floor(queryGroupBytes / (tileQueries * columns * 8)));
  const packedRows = new Float64Array(tileRows * columns);
  const scores = new Float64Array(tileRows * tileQueries);
  for (let first = 0; first < best.length; first += group) {
    const end = Math.min(first + group, best.length);
    for (let r = 0; r < rows; r += tileRows) {
      pack(values, r, tileRows, columns, packedRows, 0);
      for (let q = first; q < end; q += tileQueries) {
        scoreTile(packedRows, packedQueries, q * columns, columns, scores);
        for (let i = 0; i < tileRows && r + i < rows; i++) {
          for (let j = 0; j < tileQueries && q + j < end; j++) {
            const score = scores[i * tileQueries + j] as number;
            const row = firstIndex + r + i;
            if (!Number.isFinite(score)) throw new NonFiniteScoreError(row, q + j, score);
            const top = best[q + j] as TopK;
            if (score >= top.threshold && (allowed === undefined || allowed[row] === 1)) top.offer(row, score);
          }
        }
      }
    }
  }
}

function packQueries(queries: Float32Array, columns: number): Float64Array {
  const tiles = Math.ceil(queries.length / columns / tileQueries);
  const packed = new Float64Array(tiles * tileQueries * columns);
  for (let tile = 0; tile < tiles; tile++) {
    pack(queries, tile * tileQueries, tileQueries, columns, packed, tile * tileQueries * columns);
  }
  return packed;
}

/** Writes `width` vectors from `first` on side by side, column after column; zeros stand for vectors past the end. */
function pack(
  source: Float32Array,
  first: number,
  width: number,
  columns: number,
  target: Float64Array,
  at: number,
): void {
  for (let j = 0; j < width; j++) {
    const start = (first + j) * columns;
    const past = start >= source.length;
    for (let i = 0; i < columns; i++) target[at + i * width + j] = past ? 0 : (source[start + i] as number);
  }
}

/** Two packed rows against four packed queries, each sum in the order of the columns. */
function scoreTile(
  rows: Float64Array,
  queries: Float64Array,
  queryAt: number,
  columns: number,
  scores: Float64Array,
): void {
  let [a0, a1, a2, a3, b0, b1, b2, b3] = [0, 0, 0, 0, 0, 0, 0, 0];
  for (let i = 0, r = 0, q = queryAt; i < columns; i++, r += tileRows, q += tileQueries) {
    const a = rows[r] as number;
    const b = rows[r + 1] as number;
    const q0 = queries[q] as number;
    const q1 = queries[q + 1] as number;
    const q2 = queries[q + 2] as number;
    const q3 = queries[q + 3] as number;
    a0 += a * q0;
    a1 += a * q1;
    a2 += a * q2;
    a3 += a * q3;
    b0 += b * q0;
    b1 += b * q1;
    b2 += b * q2;
    b3 += b * q3;
  }
  scores[0] = a0;
  scores[1] = a1;
  scores[2] = a2;
  scores[3] = a3;
  scores[4] = b0;
  scores[5] = b1;
  scores[6] = b2;
  scores[7] = b3;
}
