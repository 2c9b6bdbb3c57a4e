/**
 * What every FAISS index file begins with. Layout of faiss/impl/index_write.cpp, little-endian, no padding: fourcc, i32 d,
 * i64 ntotal, two i64 that readers ignore (2^20 each), u8 is_trained, i32 metric (0 = inner product). 37 bytes.
 */
export function faissHeader(type: "IxFI" | "IxM2" | "IHNf", rows: number, columns: number): Buffer {
  const header = Buffer.alloc(37);
  header.write(type, 0, "latin1");
  header.writeInt32LE(columns, 4);
  header.writeBigInt64LE(BigInt(rows), 8);
  header.writeBigInt64LE(1n << 20n, 16);
  header.writeBigInt64LE(1n << 20n, 24);
  header.writeUInt8(1, 32);
  header.writeInt32LE(0, 33);
  return header;
}

/** A FAISS `vector<T>` before its elements: their number as u64. */
export function faissCount(count: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt(count));
  return bytes;
}

/**
 * The bytes before the values of a FAISS index file of type IndexFlatIP ("IxFI", exact search by inner product); rows of
 * little-endian float32 follow. The header and u64 number of values: 45 bytes.
 */
export function faissFlatIpHeader(rows: number, columns: number): Buffer {
  return Buffer.concat([faissHeader("IxFI", rows, columns), faissCount(rows * columns)]);
}
