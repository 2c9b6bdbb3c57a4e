import { buildHnsw, VectorTable } from "@ragline/hnsw";
import { fromFloat32Bytes, toFloat32Bytes } from "@ragline/vectors";
import fc from "fast-check";
import { expect, test } from "vitest";
import { faissFlatIpHeader } from "./faiss.js";
import { faissHnswHead } from "./faiss-hnsw.js";
import { faissId, faissIdMapEnd, faissIdMapHeader } from "./faiss-id-map.js";

/** Reads a FAISS index from its bytes as faiss/impl/index_read.cpp does. */
class Reader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get left(): number {
    return this.#bytes.length - this.#at;
  }

  header(type: string): { rows: number; columns: number } {
    const found = this.#take(4).toString("latin1");
    const columns = this.int32();
    const rows = Number(this.#take(8).readBigInt64LE());
    const [trained, metric] = [this.#take(17)[16], this.int32()];
    if (found !== type || trained !== 1 || metric !== 0) throw new Error(`${found} ${trained} ${metric}`);
    return { rows, columns };
  }

  int32(): number {
    return this.#take(4).readInt32LE();
  }

  vector<T>(width: number, read: (bytes: Buffer) => T): T[] {
    const count = Number(this.#take(8).readBigUInt64LE());
    return Array.from({ length: count }, () => read(this.#take(width)));
  }

  flat(): { rows: number; columns: number; values: Float32Array } {
    const shape = this.header("IxFI");
    const count = Number(this.#take(8).readBigUInt64LE());
    if (count !== shape.rows * shape.columns) throw new Error(`${count} values`);
    return { ...shape, values: fromFloat32Bytes(this.#take(count * 4)) };
  }

  #take(length: number): Buffer {
    if (this.left < length) throw new Error("cut short");
    this.#at += length;
    return this.#bytes.subarray(this.#at - length, this.#at);
  }
}

const matrices = fc.record({ rows: fc.nat(30), columns: fc.integer({ min: 1, max: 9 }) }).chain(({ rows, columns }) =>
  fc.record({
    rows: fc.constant(rows),
    columns: fc.constant(columns),
    values: fc.float32Array({
      minLength: rows * columns,
      maxLength: rows * columns,
      noNaN: true,
      noDefaultInfinity: true,
    }),
  }),
);

test("an id-mapped index comes back as it was written", () => {
  const id = fc.bigInt({ min: 0n, max: 2n ** 63n - 1n });
  fc.assert(
    fc.property(matrices, fc.array(id, { minLength: 30, maxLength: 30 }), ({ rows, columns, values }, all) => {
      const ids = BigInt64Array.from(all.slice(0, rows));
      const bytes = Buffer.concat([faissIdMapHeader(rows, columns), toFloat32Bytes(values), faissIdMapEnd(ids)]);
      const reader = new Reader(bytes);
      expect(reader.header("IxM2")).toEqual({ rows, columns });
      expect(reader.flat()).toEqual({ rows, columns, values });
      expect(reader.vector(8, (element) => element.readBigInt64LE())).toEqual([...ids]);
      expect(reader.left).toBe(0);
    }),
  );
});

test("a graph index comes back as it was written", async () => {
  await fc.assert(
    fc.asyncProperty(matrices, async ({ rows, columns, values }) => {
      const table = new VectorTable(rows, columns);
      table.set(0, values);
      const graph = await buildHnsw(table, { m: 3, efConstruction: 17 });
      const bytes = Buffer.concat([...faissHnswHead(rows, columns, graph), toFloat32Bytes(values)]);
      const reader = new Reader(bytes);
      const int32 = (element: Buffer) => element.readInt32LE();
      expect(reader.header("IHNf")).toEqual({ rows, columns });
      expect(reader.vector(8, (element) => element.readDoubleLE())).toEqual([...graph.layerProbabilities]);
      expect(reader.vector(4, int32)).toEqual([...graph.slotsBelow]);
      expect(reader.vector(4, int32)).toEqual([...graph.levels]);
      expect(reader.vector(8, (element) => Number(element.readBigUInt64LE()))).toEqual([...graph.offsets]);
      expect(reader.vector(4, int32)).toEqual([...graph.neighbors]);
      const end = [graph.entryPoint, graph.maxLayer, 17, 64, 1];
      expect(end.map(() => reader.int32())).toEqual(end);
      expect(reader.flat()).toEqual({ rows, columns, values });
      expect(reader.left).toBe(0);
    }),
  );
});

test("headers are those of faiss.write_index", () => {
  // faiss-cpu 1.15: IndexIDMap2(IndexFlatIP(4)) with 2 vectors.
  const shape = "04000000" + "0200000000000000" + "0000100000000000".repeat(2) + "01" + "00000000";
  const flat = Buffer.from("IxFI").toString("hex") + shape + "0800000000000000";
  expect(faissFlatIpHeader(2, 4).toString("hex")).toBe(flat);
  expect(faissIdMapHeader(2, 4).toString("hex")).toBe(Buffer.from("IxM2").toString("hex") + shape + flat);
  expect(faissIdMapEnd(BigInt64Array.of(5n, 2n ** 63n - 1n)).toString("hex")).toBe(
    "0200000000000000" + "0500000000000000" + "ffffffffffffff7f",
  );
});

test("a graph of one row has the bytes of faiss.write_index but for searches' candidates and rounded probabilities", async () => {
  const table = new VectorTable(1, 2);
  table.set(0, Float32Array.of(1, 0));
  const bytes = Buffer.concat([...faissHnswHead(1, 2, await buildHnsw(table))]).toString("hex");
  // faiss-cpu 1.15: IndexHNSWFlat(2, 32, METRIC_INNER_PRODUCT), hnsw.efConstruction = 200, hnsw.efSearch = 64.
  const shape = "02000000" + "0100000000000000" + "0000100000000000".repeat(2) + "01" + "00000000";
  const words = (...numbers: number[]) => Buffer.from(Int32Array.from(numbers).buffer).toString("hex");
  const probabilities = Buffer.from(Float64Array.from([0, 1, 2, 3, 4, 5], (layer) => 31 / 32 ** (layer + 1)).buffer);
  const expected = [
    Buffer.from("IHNf").toString("hex") + shape,
    words(6, 0) + probabilities.toString("hex"),
    words(7, 0) + words(0, 64, 96, 128, 160, 192, 224),
    words(1, 0) + words(1),
    words(2, 0) + words(0, 0, 64, 0),
    words(64, 0) + words(...Array<number>(64).fill(-1)),
    words(0, 0, 200, 64, 1),
    Buffer.from("IxFI").toString("hex") + shape + words(2, 0),
  ];
  expect(bytes).toBe(expected.join(""));
});

test("the FAISS id of a point is the first 63 bits of its UUID", () => {
  expect(faissId("00000000-0000-0001-8000-000000000000")).toBe(0n);
  expect(faissId("00000000-0000-0003-8000-000000000000")).toBe(1n);
  expect(faissId("ffffffff-ffff-ffff-ffff-ffffffffffff")).toBe(2n ** 63n - 1n);
  fc.assert(
    fc.property(fc.uuid(), (uuid) => {
      expect(faissId(uuid)).toBe(BigInt(`0x${uuid.replaceAll("-", "")}`) >> 65n);
    }),
  );
});
