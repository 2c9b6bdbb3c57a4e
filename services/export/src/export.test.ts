import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { openRun } from "@ragline/artifacts";
import { type DenseBlock, unpackSparse } from "@ragline/vectors";
import { beforeAll, beforeEach, expect, test } from "vitest";
import {
  block,
  bm25,
  collect,
  companion,
  connect,
  content,
  type Files,
  freshOutputDir,
  ids,
  metadata,
  outputDir,
  primary,
  send,
  sha256,
  splade,
  texts,
} from "./export-fixture.js";

beforeAll(connect);
beforeEach(freshOutputDir);

const valuesOf = (blocks: readonly DenseBlock[]) => blocks.flatMap(({ values }) => [...values]);

test("a run comes back from its files as it was sent", async () => {
  const { files, manifestPath } = await send(content());
  expect(manifestPath).toBe(join(outputDir, "processing_summary.json"));
  const expected = [
    "embeddings.npy",
    "mini_embeddings.npy",
    "index.faiss",
    "metadata.json",
    "texts.json",
    "stats.json",
    "qdrant.jsonl",
    "sparse.jsonl",
    "rerank.jsonl",
  ];
  expect(files.map(({ name }) => name)).toEqual(expected.map((name) => `docs_${name}`));
  expect(readdirSync(outputDir).toSorted()).toEqual(
    [...files.map(({ name }) => name), "processing_summary.json"].toSorted(),
  );
  for (const { name, bytes, sha256: hash } of files) {
    expect(sha256(name)).toBe(hash);
    expect(readFileSync(join(outputDir, name)).length).toBe(Number(bytes));
  }
  const run = await openRun(outputDir);
  expect(run).toMatchObject({ collection: "docs", prefix: "docs", chunkCount: 4, sparse: ["splade", "bm25"] });
  expect(run.dense.map(({ name, dimension, huggingFaceId }) => [name, dimension, huggingFaceId])).toEqual([
    ["bge", 3, "BAAI/bge"],
    ["mini", 2, "s/mini"],
  ]);
  expect(valuesOf(await collect(run.readDense("bge")))).toEqual([...primary]);
  expect(valuesOf(await collect(run.readDense("mini")))).toEqual([...companion]);
  for (const [model, rows] of [
    ["splade", splade],
    ["bm25", bm25],
  ] as const) {
    expect((await collect(run.readSparse(model))).flatMap(unpackSparse)).toEqual(unpackSparse(block(rows)));
  }
  const chunks = texts.map((text, index) => ({ index, id: ids[index], text, metadata: metadata[index] }));
  expect(await collect(run.readChunks())).toEqual(chunks);
  expect(await run.chunksAt([3, 0])).toEqual([chunks[3], chunks[0]]);
  expect(new Set(ids).size).toBe(texts.length);
  expect(() => run.readDense("other")).toThrow(/no dense model other. Its dense models: bge, mini/);
  expect(JSON.parse(readFileSync(join(outputDir, "docs_texts.json"), "utf8"))).toEqual(texts);
  expect(JSON.parse(readFileSync(join(outputDir, "docs_metadata.json"), "utf8"))).toEqual(metadata);
  expect(readFileSync(join(outputDir, "docs_rerank.jsonl"), "utf8")).toBe(
    '{"query":"q1","scores":[1]}\n{"query":"q2"}\n',
  );
});

test("points have every vector that has entries, and the primary sparse vector with its words in the payload", async () => {
  await send(content());
  const points = readFileSync(join(outputDir, "docs_qdrant.jsonl"), "utf8")
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));
  expect(points.map(({ vector }) => Object.keys(vector))).toEqual([
    ["bge", "mini", "splade", "bm25"],
    ["bge", "mini", "splade"],
    ["bge", "mini", "bm25"],
    ["bge", "mini", "splade", "bm25"],
  ]);
  expect(Float32Array.from(points[1].vector.bge)).toEqual(primary.slice(3, 6));
  expect(points[0].payload).toMatchObject({
    ...metadata[0],
    text: texts[0],
    primary_vector_name: "bge",
    sparse_vector: { indices: [1, 5], tokens: ["a", "b"] },
  });
  expect(points[2].payload.sparse_vector).toEqual({
    indices: [],
    values: [],
    tokens: [],
    stats: { weight_norm: 0, unique_terms: 0 },
  });
});

test("the same run has the same bytes, and dense files do not depend on sparse and rerank; stale files go", async () => {
  const full = await send(content());
  expect(await send(content())).toEqual(full);
  const lean = await send(content({ sparse: false, rerank: false }));
  const dense = (files: Files) => files.filter(({ name }) => !/qdrant|sparse|rerank/.test(name));
  expect(dense(lean.files)).toEqual(dense(full.files));
  expect(dense(lean.files)).toHaveLength(6);
  expect(readdirSync(outputDir).toSorted()).toEqual(
    [...lean.files.map(({ name }) => name), "processing_summary.json"].toSorted(),
  );
  expect((await openRun(outputDir)).sparse).toEqual([]);
});

test("a file of the last run is removed when this one does not write it, another collection's stays", async () => {
  await send(content());
  writeFileSync(join(outputDir, "other_embeddings.npy"), "mine");
  await send(
    content({ open: { dense: [{ name: "bge", dimension: 3, huggingFaceId: "BAAI/bge" }] } }).filter(
      (kind) => kind.case !== "dense" || kind.value.space !== "mini",
    ),
  );
  expect(readdirSync(outputDir)).not.toContain("docs_mini_embeddings.npy");
  expect(readdirSync(outputDir)).toContain("other_embeddings.npy");
});

test("prefix and summary path are respected, and an older manifest that the files would contradict goes", async () => {
  await send(content({ open: { prefix: "my docs" } }));
  const summaryPath = join(outputDir, "reports", "today.json");
  const { manifestPath } = await send(content({ open: { prefix: "my docs", summaryPath } }));
  expect(manifestPath).toBe(summaryPath);
  expect(readdirSync(join(outputDir, "reports"))).toEqual(["today.json"]);
  expect(readdirSync(outputDir)).not.toContain("processing_summary.json");
  const run = await openRun(outputDir, { summaryPath });
  expect([run.prefix, run.chunkCount]).toEqual(["my docs", 4]);
});
