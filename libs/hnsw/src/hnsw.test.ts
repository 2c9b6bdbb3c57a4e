import fc from "fast-check";
import { expect, test } from "vitest";
import { buildHnsw, type HnswGraph, searchHnsw, VectorTable } from "./index.js";
import { SimilarityHeap } from "./similarity-heap.js";

/** Numbers from -0.5 to 0.5 that follow from the seed. */
function noise(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    return (state >>> 0) / 2 ** 32 - 0.5;
  };
}

/** Unit vectors around a few centres, as vectors of texts on a few subjects are. */
function clusters(rows: number, columns: number, centres: number, seed: number): Float32Array {
  const next = noise(seed);
  const centre = Float32Array.from({ length: centres * columns }, next);
  const values = new Float32Array(rows * columns);
  for (let row = 0; row < rows; row++) {
    const at = Math.floor((next() + 0.5) * centres) * columns;
    const vector = Float32Array.from({ length: columns }, (_, i) => (centre[at + i] ?? 0) + 0.8 * next());
    const norm = Math.hypot(...vector);
    values.set(
      vector.map((value) => value / norm),
      row * columns,
    );
  }
  return values;
}

function tableOf(values: Float32Array, columns: number): VectorTable {
  const table = new VectorTable(values.length / columns, columns);
  table.set(0, values);
  return table;
}

/** The links of a row on a layer, and the slots after them. */
function linksOf({ offsets, slotsBelow, neighbors }: HnswGraph, row: number, layer: number): Int32Array {
  const from = offsets[row] ?? 0;
  return neighbors.subarray(from + (slotsBelow[layer] ?? 0), from + (slotsBelow[layer + 1] ?? 0));
}

/** Asserts what every graph is: lists with their end marks last, without the row itself, repeats, or rows that are not on the layer. */
function expectSound(graph: HnswGraph, rows: number): void {
  expect(graph.levels).toHaveLength(rows);
  expect(graph.offsets[rows]).toBe(graph.neighbors.length);
  expect(graph.maxLayer).toBe(Math.max(0, ...graph.levels) - 1);
  expect(graph.levels[graph.entryPoint]).toBe(rows === 0 ? undefined : graph.maxLayer + 1);
  for (let row = 0; row < rows; row++) {
    for (let layer = 0; layer < (graph.levels[row] ?? 0); layer++) {
      const slots = linksOf(graph, row, layer);
      const links = slots.filter((link) => link >= 0);
      expect([...slots]).toEqual([...links, ...Array<number>(slots.length - links.length).fill(-1)]);
      expect(new Set(links).size).toBe(links.length);
      expect(links.includes(row)).toBe(false);
      expect([...links].filter((link) => link >= rows || (graph.levels[link] ?? 0) <= layer)).toEqual([]);
    }
  }
}

test("the inner product is that of plain arithmetic, for any width", () => {
  const vectors = fc.integer({ min: 1, max: 70 }).chain((columns) =>
    fc.record({
      columns: fc.constant(columns),
      values: fc.array(fc.integer({ min: -50, max: 50 }), { minLength: 3 * columns, maxLength: 3 * columns }),
    }),
  );
  fc.assert(
    fc.property(vectors, ({ columns, values }) => {
      const table = tableOf(Float32Array.from(values), columns);
      for (const [a, b] of [
        [0, 1],
        [2, 0],
        [1, 1],
      ] as const) {
        // Sums of small whole numbers are exact in any order.
        const exact = values
          .slice(a * columns, (a + 1) * columns)
          .reduce((sum, value, i) => sum + value * (values[b * columns + i] ?? 0), 0);
        expect(table.similarity(a, b)).toBe(exact);
      }
    }),
  );
});

test("many inner products at once have the bits of each alone, and touch nothing else", () => {
  const next = noise(11);
  for (const [columns, rows] of [
    [1, 5],
    [16, 4],
    [37, 9],
  ] as const) {
    const table = new VectorTable(rows, columns, 3);
    const values = Float32Array.from({ length: (rows + 2) * columns }, next);
    table.set(0, values);
    for (const query of [rows, rows + 1]) {
      const found = table.similarities(query, 1, rows - 1, rows + 2);
      expect([...found]).toEqual(Array.from({ length: rows - 1 }, (_, i) => table.similarity(query, i + 1)));
    }
    expect(table.similarities(rows, 0, 0, rows + 2)).toHaveLength(0);
    for (let row = 0; row < rows + 2; row++)
      expect(table.row(row)).toEqual(values.subarray(row * columns, (row + 1) * columns));
  }
});

test("a heap gives rows back by falling key", () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: -9, max: 9 }), { maxLength: 700 }), (keys) => {
      const heap = new SimilarityHeap();
      for (const [row, key] of keys.entries()) heap.push(key, row);
      const popped = keys.map(() => [heap.topKey, keys[heap.pop()]]);
      const sorted = keys.toSorted((a, b) => b - a);
      expect(popped).toEqual(sorted.map((key) => [key, key]));
      expect(heap.topKey).toBe(Number.NEGATIVE_INFINITY);
    }),
  );
});

test("recall at 10 with ef 64 is at least 0.95 against brute force", async () => {
  const [rows, columns] = [2000, 32];
  const values = clusters(rows, columns, 20, 5);
  const table = tableOf(values, columns);
  const graph = await buildHnsw(table);
  expectSound(graph, rows);
  let found = 0;
  const queries = 100;
  const asked = clusters(queries, columns, 20, 6);
  for (let q = 0; q < queries; q++) {
    const query = asked.subarray(q * columns, (q + 1) * columns);
    const hits = searchHnsw(table, graph, query, 10);
    const scores = Array.from({ length: rows }, (_, row) => table.similarity(table.queryRow, row));
    const tenth = scores.toSorted((a, b) => b - a)[9] ?? 0;
    expect(hits).toHaveLength(10);
    expect(hits.map(({ row }) => scores[row])).toEqual(hits.map(({ similarity }) => similarity));
    expect(hits.toSorted((a, b) => b.similarity - a.similarity)).toEqual(hits);
    found += hits.filter(({ similarity }) => similarity >= tenth).length;
  }
  expect(found / (queries * 10)).toBeGreaterThanOrEqual(0.95);
});

test("any rows make a sound graph, in which a search finds rows once", async () => {
  const matrices = fc.record({
    columns: fc.integer({ min: 1, max: 5 }),
    rows: fc.integer({ min: 0, max: 60 }),
    m: fc.integer({ min: 2, max: 8 }),
    seed: fc.integer(),
    values: fc.float32Array({ minLength: 300, maxLength: 300, noNaN: true, min: -8, max: 8 }),
  });
  await fc.assert(
    fc.asyncProperty(matrices, async ({ columns, rows, m, seed, values }) => {
      const table = tableOf(values.subarray(0, rows * columns), columns);
      const graph = await buildHnsw(table, { m, seed, efConstruction: 40 });
      expectSound(graph, rows);
      const hits = searchHnsw(table, graph, new Float32Array(columns).fill(1), rows + 1, rows + 1);
      expect(new Set(hits.map(({ row }) => row)).size).toBe(hits.length);
      expect(hits.length > 0).toBe(rows > 0);
    }),
  );
});

test("the same rows, order and seed give the same graph; another seed another", async () => {
  const table = tableOf(clusters(300, 16, 5, 1), 16);
  const graph = await buildHnsw(table, { seed: 7 });
  expect(await buildHnsw(table, { seed: 7 })).toEqual(graph);
  expect((await buildHnsw(table, { seed: 8 })).levels).not.toEqual(graph.levels);
});

test("layers and slots are those of FAISS for M = 32", async () => {
  const graph = await buildHnsw(new VectorTable(20_000, 1), { efConstruction: 1 });
  // faiss-cpu 1.15: IndexHNSWFlat(d, 32).hnsw
  const faiss = [9.6875e-1, 3.0273445e-2, 9.46045329e-4, 2.95639165e-5, 9.23872847e-7, 2.88710389e-8];
  expect(graph.layerProbabilities).toHaveLength(faiss.length);
  for (const [layer, p] of graph.layerProbabilities.entries()) expect(p / (faiss[layer] ?? 0)).toBeCloseTo(1, 5);
  expect([...graph.slotsBelow]).toEqual([0, 64, 96, 128, 160, 192, 224]);
  const share = graph.levels.filter((levels) => levels > 1).length / graph.levels.length;
  expect(share).toBeGreaterThan(0.025);
  expect(share).toBeLessThan(0.038);
});

test("many equal rows are all there is to find", async () => {
  const table = tableOf(new Float32Array(500 * 4).fill(0.5), 4);
  const graph = await buildHnsw(table, { m: 4 });
  expectSound(graph, 500);
  expect(searchHnsw(table, graph, new Float32Array(4).fill(0.5), 5).map(({ similarity }) => similarity)).toEqual(
    Array(5).fill(1),
  );
});

test("rows whose inner products overflow still make a sound graph", async () => {
  const next = noise(3);
  const table = tableOf(
    Float32Array.from({ length: 200 * 3 }, () => 6e38 * next()),
    3,
  );
  expect(Array.from({ length: 200 }, (_, row) => table.similarity(0, row)).some(Number.isNaN)).toBe(true);
  expectSound(await buildHnsw(table, { m: 2 }), 200);
});

test("building stops when told, and lets other work run meanwhile", async () => {
  const table = tableOf(clusters(5000, 64, 5, 2), 64);
  const abort = new AbortController();
  let turns = 0;
  const timer = setInterval(() => ++turns === 5 && abort.abort(new Error("enough")), 1);
  await expect(buildHnsw(table, { signal: abort.signal })).rejects.toThrow("enough");
  clearInterval(timer);
  expect(turns).toBe(5);
});

test.each([
  ["m", () => buildHnsw(new VectorTable(1, 1), { m: 1 })],
  ["efConstruction", () => buildHnsw(new VectorTable(1, 1), { efConstruction: 0 })],
  ["4 GiB", async () => new VectorTable(2 ** 20, 1024)],
  ["do not fit", async () => new VectorTable(2, 3).set(0, new Float32Array(4))],
  ["do not fit", async () => new VectorTable(2, 3).set(2, new Float32Array(6))],
  [
    "the query has 2",
    async () => searchHnsw(new VectorTable(0, 3), await buildHnsw(new VectorTable(0, 3)), new Float32Array(2), 1),
  ],
])("what is out of range is refused: %s", async (message, act) => {
  const failure: unknown = await act().catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(RangeError);
  expect(String(failure)).toContain(message);
});
