import { faissCount, faissFlatIpHeader, faissHeader } from "./faiss.js";

/**
 * The FAISS id of a point: the first 63 bits of its UUID, so that it is never negative (FAISS answers -1 for no result) and
 * needs no table to be made: `uuid.UUID(id).int >> 65` in Python. 59 of them are random in a UUIDv5: a million points collide
 * with a probability of one in a million.
 */
export function faissId(uuid: string): bigint {
  return BigInt(`0x${uuid.replaceAll("-", "").slice(0, 16)}`) >> 1n;
}

/**
 * The bytes before the values of a FAISS index file of type IndexIDMap2 ("IxM2") over an IndexFlatIP: the header, then that
 * of the inner index. Rows of little-endian float32 follow, then `faissIdMapEnd`.
 */
export function faissIdMapHeader(rows: number, columns: number): Buffer {
  return Buffer.concat([faissHeader("IxM2", rows, columns), faissFlatIpHeader(rows, columns)]);
}

/** The bytes after the values: u64 number of ids, and an i64 for each row. */
export function faissIdMapEnd(ids: BigInt64Array): Buffer {
  const bytes = Buffer.alloc(8 * ids.length);
  for (const [row, id] of ids.entries()) bytes.writeBigInt64LE(id, 8 * row);
  return Buffer.concat([faissCount(ids.length), bytes]);
}
