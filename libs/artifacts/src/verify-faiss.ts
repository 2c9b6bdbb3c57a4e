import type { HashedReader } from "./hashed-reader.js";

/** A FAISS file whose bytes are not what the format demands; the message continues the file's name. */
export class FaissError extends Error {}

const metricNames: Record<number, string> = { 0: "inner product", 1: "L2" };

interface FaissHeader {
  readonly type: string;
  readonly columns: number;
  readonly rows: number;
}

/**
 * Walks over a FAISS index file: IndexFlatIP ("IxFI"), on its own, inside an IndexIDMap2 ("IxM2") or as the storage of an
 * IndexHNSWFlat ("IHNf"). Layouts of faiss/impl/index_write.cpp. Throws FaissError for bytes that are something else.
 */
export class FaissRows {
  readonly rows: number;
  readonly columns: number;
  readonly #reader: HashedReader;
  readonly #hasIds: boolean;
  #row = 0;

  private constructor(reader: HashedReader, header: FaissHeader, hasIds: boolean) {
    this.#reader = reader;
    this.rows = header.rows;
    this.columns = header.columns;
    this.#hasIds = hasIds;
  }

  /** Reads up to the first row. */
  static async open(reader: HashedReader): Promise<FaissRows> {
    let header = await readHeader(reader);
    const hasIds = header.type === "IxM2";
    const outer = header;
    if (hasIds) header = await readHeader(reader);
    if (header.type === "IHNf") {
      await checkGraph(reader, header.rows);
      header = await readHeader(reader);
    }
    if (header.type !== "IxFI")
      throw new FaissError(`holds an index of type ${JSON.stringify(header.type)}, but "IxFI" is expected`);
    if (header.rows !== outer.rows || header.columns !== outer.columns)
      throw new FaissError("tells two shapes: that of its storage is not that of the index");
    const values = Number((await take(reader, 8)).readBigUInt64LE(0));
    if (values !== header.rows * header.columns)
      throw new FaissError(`announces ${values} values, but ${header.rows} rows of ${header.columns}`);
    return new FaissRows(reader, header, hasIds);
  }

  /** The next row's bytes, which hold until the next call, or undefined after the last. */
  async next(): Promise<Buffer | undefined> {
    if (this.#row === this.rows) return undefined;
    this.#row++;
    return take(this.#reader, this.columns * 4);
  }

  /**
   * Reads what comes after the rows.
   * @param expectedId id of a row in an IndexIDMap2; 0 where it is not known.
   */
  async end(expectedId: (row: number) => bigint): Promise<void> {
    while (await this.next()) continue;
    if (this.#hasIds) await checkIds(this.#reader, this.rows, expectedId);
    if (await this.#reader.bytes(1)) throw new FaissError("goes on after its end");
  }
}

async function take(reader: HashedReader, length: number): Promise<Buffer> {
  const bytes = await reader.bytes(length);
  if (!bytes) throw new FaissError("is cut short");
  return bytes;
}

async function readHeader(reader: HashedReader): Promise<FaissHeader> {
  const type = (await take(reader, 4)).toString("latin1");
  if (!["IxFI", "IxM2", "IHNf"].includes(type))
    throw new FaissError(`is not a FAISS index of a known type: it holds ${JSON.stringify(type)}`);
  const header = await take(reader, 33);
  const [columns, rows] = [header.readInt32LE(0), Number(header.readBigInt64LE(4))];
  if (columns < 1 || rows < 0) throw new FaissError(`tells an impossible shape, (${rows}, ${columns})`);
  if (header[28] !== 1) throw new FaissError("is marked as not trained");
  const metric = header.readInt32LE(29);
  if (metric !== 0) throw new FaissError(`uses metric ${metricNames[metric] ?? metric}, but inner product is expected`);
  return { type, columns, rows };
}

const vectorStep = 2 ** 13;

/** Reads a `vector<T>`: a count and its elements, in pieces. */
async function readVector(
  reader: HashedReader,
  elementBytes: number,
  onElements: (bytes: Buffer) => void,
): Promise<number> {
  const count = Number((await take(reader, 8)).readBigUInt64LE(0));
  for (let left = count; left > 0; left -= vectorStep)
    onElements(await take(reader, Math.min(left, vectorStep) * elementBytes));
  return count;
}

/** The graph of an IndexHNSWFlat before its storage: sizes that belong together, links to rows that exist. */
async function checkGraph(reader: HashedReader, rows: number): Promise<void> {
  await readVector(reader, 8, () => undefined);
  await readVector(reader, 4, () => undefined);
  const levels = await readVector(reader, 4, () => undefined);
  let last = 0n;
  const offsets = await readVector(reader, 8, (bytes) => {
    for (let at = 0; at < bytes.length; at += 8) {
      const offset = bytes.readBigUInt64LE(at);
      if (offset < last) throw new FaissError("has a graph whose offsets do not increase");
      last = offset;
    }
  });
  if (levels !== rows || offsets !== rows + 1) throw new FaissError(`has a graph of ${levels} nodes over ${rows} rows`);
  const links = await readVector(reader, 4, (bytes) => {
    for (let at = 0; at < bytes.length; at += 4) {
      const row = bytes.readInt32LE(at);
      if (row < -1 || row >= rows) throw new FaissError(`has a graph that links to row ${row} of ${rows}`);
    }
  });
  if (BigInt(links) !== last) throw new FaissError(`has a graph of ${links} links, but its offsets promise ${last}`);
  const entry = (await take(reader, 20)).readInt32LE(0);
  if (entry >= rows || (entry < 0 && rows > 0))
    throw new FaissError(`has a graph that starts at row ${entry} of ${rows}`);
}

/** The ids of an IndexIDMap2: one for each row, and the one that the row should have. */
async function checkIds(reader: HashedReader, rows: number, expectedId: (row: number) => bigint): Promise<void> {
  let row = 0;
  const count = await readVector(reader, 8, (bytes) => {
    for (let at = 0; at < bytes.length; at += 8, row++) {
      const [id, expected] = [bytes.readBigInt64LE(at), expectedId(row)];
      if (expected !== 0n && id !== expected)
        throw new FaissError(`has the id ${id} for row ${row}, where the point's UUID gives ${expected}`);
    }
  });
  if (count !== rows) throw new FaissError(`has ${count} ids for ${rows} rows`);
}
