import { buildHnsw, VectorTable } from "@ragline/hnsw";
import { fromFloat32Bytes } from "@ragline/vectors";
import { expect, onTestFinished, test } from "vitest";
import { faissHnswHead } from "./faiss-hnsw.js";
import { temporaryDirectory } from "./temporary-directory.js";
import { bytesOfLines, ids, linesOf, names, problemsOf, runFiles, writeRun } from "./verify-run.fixture.js";

const jsonLines = (change: (value: Record<string, object>, row: number) => unknown) => (bytes: Buffer) =>
  Buffer.from(
    bytes
      .toString()
      .trimEnd()
      .split("\n")
      .map((line, row) => `${JSON.stringify(change(JSON.parse(line) as Record<string, object>, row))}\n`)
      .join(""),
  );
const replaced = (from: string, to: string) => (bytes: Buffer) =>
  Buffer.from(bytes.toString("latin1").replace(from, to), "latin1");
const swapRows = (headerBytes: number, rowBytes: number) => (bytes: Buffer) =>
  Buffer.concat([
    bytes.subarray(0, headerBytes),
    bytes.subarray(headerBytes + rowBytes, headerBytes + 2 * rowBytes),
    bytes.subarray(headerBytes, headerBytes + rowBytes),
    bytes.subarray(headerBytes + 2 * rowBytes),
  ]);
const withFloat = (at: number, value: number) => (bytes: Buffer) => {
  const copy = Buffer.from(bytes);
  copy.writeFloatLE(value, at);
  return copy;
};
const withoutLine = (line: number) => (bytes: Buffer) => bytesOfLines(linesOf(bytes).toSpliced(line, 1));
const swappedLines = (first: number) => (bytes: Buffer) => {
  const lines = linesOf(bytes);
  return bytesOfLines(lines.toSpliced(first, 2, lines[first + 1] ?? "", lines[first] ?? ""));
};

// A run that was written wrong from the start: the manifest's hashes are those of the wrong files.
test.each<[what: string, name: string, change: (bytes: Buffer) => Buffer, expected: RegExp]>([
  [
    "rows of a matrix in another order",
    names.embeddings,
    swapRows(128, 16),
    /mismatch docs_qdrant.jsonl:0 has another vector of bge/,
  ],
  [
    "rows of an index in another order",
    names.index,
    swapRows(45, 16),
    /mismatch docs_index.faiss:0 holds another vector than docs_embeddings.npy/,
  ],
  [
    "a value that is not a number",
    names.embeddings,
    withFloat(132, Number.NaN),
    /value docs_embeddings.npy:0 holds a value that is not a finite number/,
  ],
  [
    "a vector that is too long",
    names.companionEmbeddings("mini"),
    withFloat(128, 2),
    /value docs_mini_embeddings.npy:0 holds a vector of length 2\./,
  ],
  [
    "an id map of other ids",
    names.indexIds,
    (bytes) => {
      const copy = Buffer.from(bytes);
      copy.writeBigInt64LE(7n, copy.length - 8);
      return copy;
    },
    /format docs_index_ids.faiss has the id 7 for row 5/,
  ],
  [
    "an index of another type",
    names.index,
    replaced("IxFI", "IxF2"),
    /format docs_index.faiss is not a FAISS index of a known type: it holds "IxF2"/,
  ],
  [
    "texts in another order",
    names.texts,
    swappedLines(2),
    /id docs_qdrant.jsonl:1 has an id that is not that of the chunk's text/,
  ],
  ["a text that is missing", names.texts, withoutLine(3), /count docs_texts.json has 5 rows, but the run has 6 chunks/],
  [
    "a text that is a number",
    names.texts,
    replaced('"epsilon"', "5"),
    /format docs_texts.json:4 has an element that is not a text/,
  ],
  [
    "a text with a line too many",
    names.texts,
    replaced("]\n", "]\n[]\n"),
    /format docs_texts.json:6 goes on after its end/,
  ],
  [
    "metadata in another order",
    names.metadata,
    swappedLines(4),
    /mismatch docs_qdrant.jsonl:3 has another "chunk_id" in its payload/,
  ],
  [
    "metadata that is a list",
    names.metadata,
    replaced('{"chunk_id":"c-0","page":0}', "[]"),
    /format docs_metadata.json:0 has an element that is not an object/,
  ],
  [
    "metadata that is not JSON",
    names.metadata,
    replaced('"page":1', '"page":nan'),
    /format docs_metadata.json:3 is damaged: the line has "nan/,
  ],
  ["a point that is missing", names.qdrant, withoutLine(5), /count docs_qdrant.jsonl has 5 rows/],
  [
    "a point twice",
    names.qdrant,
    (bytes) => bytesOfLines(linesOf(bytes).toSpliced(6, 0, linesOf(bytes)[5] ?? "")),
    /id docs_qdrant.jsonl:6 has the id of row 5 again/,
  ],
  [
    "a point with the id of another",
    names.qdrant,
    replaced(ids[4] ?? "", ids[0] ?? ""),
    /id docs_qdrant.jsonl:4 has the id of row 0 again/,
  ],
  [
    "points under the key of the Python pipeline",
    names.qdrant,
    replaced('"vector":', '"vectors":'),
    /format docs_qdrant.jsonl:0 is damaged: the line has ",\\"vectors\\":/,
  ],
  [
    "a point without a vector",
    names.qdrant,
    jsonLines((point, row) => (row === 2 ? { ...point, vector: { ...point["vector"], mini: undefined } } : point)),
    /mismatch docs_qdrant.jsonl:2 has no vector of mini/,
  ],
  [
    "a point with a vector of no model",
    names.qdrant,
    jsonLines((point) => ({ ...point, vector: { ...point["vector"], other: [1] } })),
    /mismatch docs_qdrant.jsonl:0 has a vector other, which is not one of the run's models/,
  ],
  [
    "a point with another text",
    names.qdrant,
    replaced('"text":"epsilon"', '"text":"epsilom"'),
    /mismatch docs_qdrant.jsonl:4 has another "text" in its payload/,
  ],
  [
    "a dense value that is text",
    names.qdrant,
    replaced('"bge":[', '"bge":["0",'),
    /format docs_qdrant.jsonl:0 is damaged: .* where a number should be/,
  ],
  [
    "a sparse value too large",
    names.sparse,
    replaced("0.25", "1e999"),
    /value docs_sparse.jsonl:0 the first model: a value is not a finite number/,
  ],
  [
    "sparse indices out of order",
    names.sparse,
    replaced("[1,101,30521]", "[101,1,30521]"),
    /value docs_sparse.jsonl:1 the first model: index 1 comes after 101/,
  ],
  [
    "a sparse index beyond the vocabulary",
    names.sparse,
    (bytes) => Buffer.from(bytes.toString().replaceAll("30521", "30522")),
    /value docs_sparse.jsonl:0 splade: index 30522 is not below 30522/,
  ],
  [
    "a sparse index beyond 32 bits",
    names.sparse,
    replaced("4000000002", "4294967296"),
    /value docs_sparse.jsonl:2 bm25: index 4294967296 is not below 4294967296/,
  ],
  [
    "another sparse vector than the point's",
    names.sparse,
    replaced("4000000002", "4000000009"),
    /mismatch docs_qdrant.jsonl:2 has another vector of bm25 than the sparse file/,
  ],
  [
    "sparse lines in another order",
    names.sparse,
    swappedLines(0),
    /id docs_sparse.jsonl:0 has another id than docs_qdrant.jsonl/,
  ],
  [
    "too few tokens",
    names.sparse,
    replaced('"w\\"100",', ""),
    /mismatch docs_sparse.jsonl:0 has 2 tokens for 3 indices/,
  ],
  [
    "a norm that is not the vector's",
    names.sparse,
    replaced('"weight_norm":', '"weight_norm":1'),
    /mismatch docs_sparse.jsonl:0 has stats that are not those of its vector/,
  ],
  [
    "a candidate that is no chunk",
    names.rerank,
    replaced(ids[5] ?? "", "00000000-0000-5000-8000-000000000000"),
    /id docs_rerank.jsonl:1 names row 5 with the id 0{8}-/,
  ],
  [
    "a candidate on another row",
    names.fused,
    replaced('"row":0', '"row":1'),
    /id docs_fused.jsonl:0 names row 1 with the id/,
  ],
  [
    "ranks that start again",
    names.rerank,
    replaced('"rank":2', '"rank":1'),
    /value docs_rerank.jsonl:0 has ranks that do not count up from 1/,
  ],
  [
    "candidates that are not sorted",
    names.rerank,
    replaced('"mixed_score":-1', '"mixed_score":9'),
    /value docs_rerank.jsonl:0 is not sorted by its scores/,
  ],
  [
    "a score that is not a number",
    names.rerank,
    replaced('"fused_score":4', '"fused_score":NaN'),
    /format docs_rerank.jsonl:1 is damaged: the line is not valid JSON/,
  ],
  [
    "a score that is text",
    names.rerank,
    replaced('"fused_score":4', '"fused_score":"4"'),
    /format docs_rerank.jsonl:1 .*candidates.0.fused_score: .*number/,
  ],
  ["a query twice", names.rerank, replaced('"q2"', '"q1"'), /id docs_rerank.jsonl:1 has the query q1 twice/],
  [
    "stats of other texts",
    names.stats,
    replaced('"max": ', '"max": 9'),
    /mismatch docs_stats.json tells other lengths of the texts/,
  ],
  [
    "stats of other vectors",
    names.stats,
    (bytes) => {
      const stats = JSON.parse(bytes.toString()) as { dense: { norm: { mean: number } }[] };
      for (const { norm } of stats.dense) norm.mean = 0.5;
      return Buffer.from(JSON.stringify(stats));
    },
    /mismatch docs_stats.json tells other vector lengths of bge/,
  ],
  ["stats that are not JSON", names.stats, replaced("{", "["), /format docs_stats.json does not hold a run's figures/],
])("%s is found though the hashes agree", async (_, name, change, expected) => {
  const dir = temporaryDirectory(onTestFinished);
  const files = runFiles();
  files.set(name, change(files.get(name) ?? Buffer.alloc(0)));
  writeRun(dir, files);
  const problems = await problemsOf(dir);
  expect(problems.join("\n")).toMatch(expected);
  expect(problems.join("\n")).not.toMatch(/^hash/m);
});

test.each<[what: string, more: object, expected: RegExp]>([
  ["another number of chunks", { chunk_count: 7 }, /count docs_qdrant.jsonl has 6 rows, but the run has 7 chunks/],
  [
    "another collection",
    { collection: "other" },
    /id docs_qdrant.jsonl:0 has an id that is not that of the chunk's text/,
  ],
  ["no outputs", { outputs: undefined }, /manifest processing_summary.json lists no outputs/],
  ["an empty list of outputs", { outputs: [] }, /manifest processing_summary.json lists no outputs/],
  [
    "vectors that are not there",
    { sparse_run: { executed: true, models: [{ name: "bm25", vectors: { available: 2 } }] } },
    /count processing_summary.json tells 2 vectors of bm25, but the sparse file has 6/,
  ],
  [
    "a candidate that is no chunk",
    { rerank_run: { executed: true, candidate_ids: ["x"] } },
    /id processing_summary.json names the candidate x/,
  ],
])("a manifest that tells of %s is found", async (_, more, expected) => {
  const dir = temporaryDirectory(onTestFinished);
  writeRun(dir, runFiles(), more);
  expect((await problemsOf(dir)).join("\n")).toMatch(expected);
});

test("a graph index is read through: its rows are those of the matrix, its links lead to rows that exist", async () => {
  const dir = temporaryDirectory(onTestFinished);
  const files = runFiles();
  const vectors = (files.get(names.embeddings) ?? Buffer.alloc(0)).subarray(128);
  const table = new VectorTable(ids.length, 4);
  table.set(0, fromFloat32Bytes(vectors));
  const graph = await buildHnsw(table, { m: 2 });
  const indexOf = (changed: Partial<typeof graph>) =>
    Buffer.concat([...faissHnswHead(ids.length, 4, { ...graph, ...changed }), vectors]);
  const problemsWith = async (index: Buffer) => {
    writeRun(dir, files.set(names.index, index));
    return problemsOf(dir);
  };
  expect(await problemsWith(indexOf({}))).toEqual([]);
  expect(await problemsWith(swapRows(indexOf({}).length - vectors.length, 16)(indexOf({})))).toContain(
    "mismatch docs_index.faiss:0 holds another vector than docs_embeddings.npy",
  );
  const neighbors = graph.neighbors.map((row, i) => (i === 0 ? ids.length : row));
  expect(await problemsWith(indexOf({ neighbors }))).toEqual([
    "format docs_index.faiss has a graph that links to row 6 of 6",
  ]);
  expect(await problemsWith(indexOf({ entryPoint: 6 }))).toEqual([
    "format docs_index.faiss has a graph that starts at row 6 of 6",
  ]);
});
