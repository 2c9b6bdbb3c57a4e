/**
 * The bytes before the values of a FAISS index file of type IndexFlatIP ("IxFI", exact search by inner product); rows of
 * little-endian float32 follow. Layout of faiss/impl/index_write.cpp: fourcc, i32 d, i64 ntotal, two i64 that readers
 * ignore (2^20 each), u8 is_trained, i32 metric (0 = inner product), u64 number of values. No padding: 45 bytes.
 */
export function faissFlatIpHeader(rows: number, columns: number): Buffer {
  const header = Buffer.alloc(45);
  header.write("IxFI", 0, "latin1");
  header.writeInt32LE(columns, 4);
  header.writeBigInt64LE(BigInt(rows), 8);
  header.writeBigInt64LE(1n << 20n, 16);
  header.writeBigInt64LE(1n << 20n, 24);
  header.writeUInt8(1, 32);
  header.writeInt32LE(0, 33);
  header.writeBigUInt64LE(BigInt(rows) * BigInt(columns), 37);
  return header;
}
