import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Run } from "@ragline/artifacts";
import fc from "fast-check";
import { expect, onTestFinished, test } from "vitest";
import {
  DenseIndex,
  denseTopK,
  FieldIndexBuilder,
  type FieldValue,
  InvertedIndex,
  PostingsBuilder,
  parseFilter,
  SearchIndex,
  sparseTopK,
} from "./index.js";

const sparseRow = fc
  .dictionary(fc.integer({ min: 0, max: 12 }).map(String), fc.float({ min: -2, max: 2, noNaN: true }), { maxKeys: 6 })
  .map((entries) => {
    const indices = Uint32Array.from(Object.keys(entries), Number).sort();
    return { indices, values: Float32Array.from(indices, (index) => entries[index] ?? 0) };
  });

const block = (rows: readonly { indices: Uint32Array; values: Float32Array }[]) => ({
  firstIndex: 0,
  rowLengths: rows.map(({ indices }) => indices.length),
  indices: rows.flatMap(({ indices }) => [...indices]),
  values: rows.flatMap(({ values }) => [...values]),
});

test.each([undefined, "idf"] as const)(
  "an inverted index finds what a scan finds, to the bit (%s)",
  async (modifier) => {
    const options = modifier === undefined ? {} : { modifier };
    await fc.assert(
      fc.asyncProperty(
        fc.array(sparseRow, { maxLength: 12 }),
        fc.array(sparseRow, { minLength: 1, maxLength: 3 }),
        fc.integer({ min: 1, max: 5 }),
        async (rows, queries, k) => {
          const builder = new PostingsBuilder();
          for (const { indices, values } of rows) builder.add(indices, values);
          const found = new InvertedIndex(builder.build()).search(queries, { k, ...options });
          expect(found).toEqual(await sparseTopK({ open: () => [block(rows)], queries, k, ...options }));
        },
      ),
    );
  },
);

test("an inverted index leaves out rows that are not allowed, without changing any score", () => {
  const builder = new PostingsBuilder();
  for (let row = 0; row < 5; row++) builder.add([1], [row + 1]);
  const index = new InvertedIndex(builder.build());
  const queries = [{ indices: Uint32Array.of(1), values: Float32Array.of(1) }];
  const all = index.search(queries, { k: 5, modifier: "idf" })[0];
  const some = index.search(queries, { k: 2, modifier: "idf", allowed: Uint8Array.of(1, 1, 0, 1, 0) })[0];
  expect(some).toEqual(all?.filter(({ row }) => row === 3 || row === 1));
});

test("broken values are told, not ranked", async () => {
  const builder = new PostingsBuilder();
  builder.add([1], [Number.NaN]);
  const queries = [{ indices: Uint32Array.of(1), values: Float32Array.of(1) }];
  expect(() => new InvertedIndex(builder.build()).search(queries, { k: 1 })).toThrow("The score of row 0");
  const dense = await DenseIndex.load([{ firstIndex: 0, columns: 2, values: Float32Array.of(1, Number.NaN) }], 1, 2);
  await expect(dense.search(Float32Array.of(1, 1), { k: 1 })).rejects.toThrow("The score of row 0");
});

test("dense vectors in memory are found as in a scan, to the bit, also where float32 sums cannot tell them apart", async () => {
  const value = fc.oneof(fc.float({ min: -1, max: 1, noNaN: true }), fc.constantFrom(0.1, 0.1 + 2 ** -20, -0.3));
  await fc.assert(
    fc.asyncProperty(
      fc
        .integer({ min: 1, max: 20 })
        .chain((columns) =>
          fc.tuple(
            fc.constant(columns),
            fc.array(fc.array(value, { minLength: columns, maxLength: columns }), { minLength: 1, maxLength: 12 }),
            fc.array(value, { minLength: columns, maxLength: columns }),
          ),
        ),
      fc.integer({ min: 1, max: 4 }),
      async ([columns, rows, query], k) => {
        const blocks = [{ firstIndex: 0, columns, values: Float32Array.from(rows.flat()) }];
        const queries = Float32Array.from(query);
        const index = await DenseIndex.load(blocks, rows.length, columns);
        const [expected] = await denseTopK({ blocks, queries, dimension: columns, k });
        expect(await index.search(queries, { k })).toEqual([expected]);
        const allowed = Uint8Array.from(rows, (_, row) => row % 2);
        const [even] = await denseTopK({ blocks, queries, dimension: columns, k, allowed });
        expect(await index.search(queries, { k, allowed })).toEqual([even]);
        expect(even?.every(({ row }) => row % 2 === 1)).toBe(true);
      },
    ),
    { numRuns: 40 },
  );
});

test("threads find what one thread finds, for many queries at once, and name a broken row", async () => {
  const [rows, columns, queryCount] = [103, 5, 37];
  const values = Float32Array.from({ length: rows * columns }, (_, i) => Math.fround(Math.sin(i * i)));
  const queries = Float32Array.from({ length: queryCount * columns }, (_, i) => Math.fround(Math.cos(i * i)));
  const blocks = [
    { firstIndex: 40, columns, values: values.subarray(40 * columns) },
    { firstIndex: 0, columns, values: values.subarray(0, 40 * columns) },
  ];
  const allowed = Uint8Array.from({ length: rows }, (_, row) => (row % 3 === 0 ? 0 : 1));
  for (const threads of [1, 2, 3]) {
    const index = await DenseIndex.load(blocks, rows, columns, { threads });
    onTestFinished(() => index.close());
    for (const options of [{ k: 7 }, { k: 200 }, { k: 7, allowed }]) {
      const expected = await denseTopK({ blocks, queries, dimension: columns, ...options });
      // Two at the same time do not disturb one another.
      const [some, all] = await Promise.all([
        index.search(queries.subarray(0, columns), options),
        index.search(queries, options),
      ]);
      expect(all).toEqual(expected);
      expect(some).toEqual([expected[0]]);
    }
    const broken = await DenseIndex.load(
      [{ firstIndex: 0, columns, values: values.map((value, i) => (i === 90 * columns ? Number.NaN : value)) }],
      rows,
      columns,
      { threads },
    );
    onTestFinished(() => broken.close());
    await expect(broken.search(queries, { k: 1 })).rejects.toMatchObject({ name: "NonFiniteScoreError", row: 90 });
    await expect(index.search(queries.subarray(1), { k: 1 })).rejects.toThrow("no whole number of queries");
    await expect(DenseIndex.load(blocks, rows - 1, columns, { threads })).rejects.toThrow("do not fit the index");
  }
});

test("a thread that is gone is told", async () => {
  const index = await DenseIndex.load([], 8, 2, { threads: 2 });
  await index.close();
  await expect(index.search(Float32Array.of(1, 1), { k: 1 })).rejects.toThrow(
    "a thread that searches vectors was lost",
  );
});

const chunks: Record<string, unknown>[] = [
  { lang: "en", tokens: 10, tags: ["a", "b", "a"], flags: { code: true }, name: "Wing" },
  { lang: "de", tokens: 20, tags: ["b"], flags: { code: false }, name: "Flügel" },
  { lang: "en", tokens: 30, name: "wingspan" },
  { tokens: "many", lang: null },
];

test.each([
  [["lang=en"], [0, 2]],
  [["lang=en|de"], [0, 1, 2]],
  [["lang!=en"], [1, 3]],
  // Beside numbers stands a text, whose order is that of characters.
  [["tokens>=20"], [1, 2, 3]],
  [["tokens<20"], [0]],
  [["tokens=20"], [1]],
  [["tokens=20.0"], [1]],
  [["tags=a"], [0]],
  [["tags=b", "lang=en"], [0]],
  [["tags!=b"], [2, 3]],
  [["flags.code=true"], [0]],
  [["name~WING"], [0, 2]],
  [[" name ~ lüg "], [1]],
  [["lang=fr"], []],
])("filters %j leave rows %j", (texts, rows) => {
  const builder = new FieldIndexBuilder();
  for (const chunk of chunks) builder.add(chunk);
  const allowed = builder.build().select(texts.map(parseFilter));
  expect([...allowed].flatMap((one, row) => (one === 1 ? [row] : []))).toEqual(rows);
});

test.each(["", "lang", "=en", "tokens>", "a=b|", "name~"])("%j is no filter", (text) => {
  expect(() => parseFilter(text)).toThrow(/is no filter|has no value/);
});

test("an unknown field is told with those that there are; a field of too many values with why", () => {
  const builder = new FieldIndexBuilder();
  for (let row = 0; row < 32_770; row++) builder.add({ id: `chunk-${row}`, lang: "en" });
  const fields = builder.build();
  expect(() => fields.select([parseFilter("colour=red")])).toThrow(
    'no chunk has a field "colour" to filter by; there are lang',
  );
  expect(() => fields.select([parseFilter("id=chunk-1")])).toThrow('"id" has more than 32768 different values');
});

/** As much of a run as a search reads, with its two files in a directory. */
async function smallRun(sha256: string): Promise<{ run: Run; passes: () => number; path: string }> {
  const dir = await mkdtemp(join(tmpdir(), "ragline-index-"));
  onTestFinished(() => rm(dir, { recursive: true, force: true }));
  await writeFile(join(dir, "x_qdrant.jsonl"), "0123\n56\n");
  await writeFile(join(dir, "x_sparse.jsonl"), "\n");
  let passes = 0;
  const run = {
    dir,
    names: { qdrant: "x_qdrant.jsonl", sparse: "x_sparse.jsonl", searchIndex: "x_search.idx" },
    manifest: {
      outputs: [
        { name: "x_qdrant.jsonl", sha256 },
        { name: "x_sparse.jsonl", sha256 },
      ],
    },
    sparse: ["words", "bm25"],
    dense: [{ name: "d", dimension: 2 }],
    chunkCount: 2,
    async *readSparseRows() {
      passes++;
      yield { words: { indices: [7], values: [2] }, bm25: { indices: [1, 5], values: [1, 1] } };
      yield { bm25: { indices: [5], values: [1] } };
    },
    async *readMetadata() {
      const fields: [Record<string, FieldValue>, number][] = [
        [{ lang: "en" }, 5],
        [{ lang: "de", n: 1 }, 8],
      ];
      for (const [metadata, endOffset] of fields) yield { metadata, endOffset };
    },
    async *readDense() {
      yield { firstIndex: 0, columns: 2, values: Float32Array.of(1, 0, 0, 1) };
    },
    readGraph: async () => undefined,
    chunksAt: async (rows: readonly number[], lines: { read(rows: readonly number[]): Promise<Buffer[]> }) =>
      (await lines.read(rows)).map((line) => ({ text: line.toString() })),
  };
  return { run: run as unknown as Run, passes: () => passes, path: join(dir, "x_search.idx") };
}

async function answers(index: SearchIndex): Promise<unknown> {
  const query = [{ indices: Uint32Array.of(5, 7), values: Float32Array.of(1, 1) }];
  const allowed = await index.select([parseFilter("lang=de")]);
  return {
    words: await index.searchSparse("words", false, query, { k: 2 }),
    bm25: await index.searchSparse("bm25", true, query, { k: 2, allowed }),
    dense: await index.searchDense("d", Float32Array.of(0.5, 1, 1, 0), { k: 1 }),
    chunks: await index.chunksAt([1, 0]),
    graph: await index.hasGraph("d"),
  };
}

test("what is read before it is asked for answers the same", async () => {
  const { run } = await smallRun("one");
  const [asked, prepared] = [await SearchIndex.open(run), await SearchIndex.open(run)];
  await Promise.all([
    prepared.prepareSparse("words"),
    prepared.prepareSparse("bm25"),
    prepared.prepareDense("d", false),
  ]);
  expect(await answers(prepared)).toEqual(await answers(asked));
  await Promise.all([asked.close(), prepared.close()]);
});

test("an index is made once, read back the same, and made anew when its run changes or it is damaged", async () => {
  const { run, passes, path } = await smallRun("one");
  const first = await SearchIndex.open(run);
  const made = await answers(first);
  expect(made).toMatchObject({
    words: [[{ row: 0, score: 2 }]],
    bm25: [[{ row: 1 }]],
    dense: [[{ row: 1, score: 1 }], [{ row: 0, score: 1 }]],
    chunks: [{ text: "56" }, { text: "0123" }],
    graph: false,
  });
  await first.close();
  const again = await SearchIndex.open(run, { maxResidentBytes: 0 });
  expect(await answers(again)).toEqual(made);
  await again.close();
  expect(passes()).toBe(1);

  const bytes = await readFile(path);
  for (const damaged of [bytes.subarray(0, bytes.length - 8), Buffer.from("nothing"), Buffer.alloc(0)]) {
    await writeFile(path, damaged);
    const index = await SearchIndex.open(run);
    expect(await answers(index)).toEqual(made);
    await index.close();
  }
  expect(passes()).toBe(4);

  const [points] = run.manifest.outputs as { sha256: string }[];
  if (points) points.sha256 = "two";
  await (await SearchIndex.open(run)).close();
  expect(passes()).toBe(5);
  expect((await readdir(run.dir)).filter((name) => name.includes("partial"))).toEqual([]);
});

test("vectors that are not finite are told with their file and row", async () => {
  const { run } = await smallRun("one");
  const broken = {
    ...run,
    async *readDense() {
      yield { firstIndex: 0, columns: 2, values: Float32Array.of(1, 0, 0, Infinity) };
    },
    async *readSparseRows() {
      yield { words: { indices: [7], values: [1] } };
      yield { words: { indices: [7], values: [Number.NaN] } };
    },
    dense: [{ name: "d", dimension: 2, path: "x_embeddings.npy" }],
  } as unknown as Run;
  const query = [{ indices: Uint32Array.of(7), values: Float32Array.of(1) }];
  for (const maxResidentBytes of [0, 1000]) {
    const index = await SearchIndex.open(broken, { maxResidentBytes });
    onTestFinished(() => index.close());
    await expect(index.searchDense("d", Float32Array.of(1, 1), { k: 1 })).rejects.toThrow(
      "x_embeddings.npy: the score of row 1 is Infinity",
    );
    await expect(index.searchSparse("words", false, query, { k: 1 })).rejects.toThrow(
      "x_sparse.jsonl: the score of row 1 is NaN",
    );
  }
});

test("an index that cannot be kept is in memory", async () => {
  const { run } = await smallRun("one");
  const unsaved: string[] = [];
  // A directory in the place of the file.
  (run.names as { searchIndex: string }).searchIndex = "missing/x_search.idx";
  const index = await SearchIndex.open(run, { onUnsaved: ({ message }) => unsaved.push(message) });
  expect(unsaved).toHaveLength(1);
  expect(await answers(index)).toMatchObject({ dense: [[{ row: 1, score: 1 }], [{ row: 0, score: 1 }]] });
});
