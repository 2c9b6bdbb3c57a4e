import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buildHnsw, VectorTable } from "@ragline/hnsw";
import { expect, onTestFinished, test } from "vitest";
import { faissFlatIpHeader } from "./faiss.js";
import { faissHnswHead } from "./faiss-hnsw.js";
import { readFaissHnsw } from "./read-faiss-hnsw.js";

async function file(bytes: Uint8Array): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), "ragline-hnsw-"));
  onTestFinished(() => rm(dir, { recursive: true }));
  await writeFile(join(dir, "index.faiss"), bytes);
  return join(dir, "index.faiss");
}

test.each([0, 1, 60])("the graph over %i rows reads back as it was written", async (rows) => {
  const table = new VectorTable(rows, 3);
  table.set(
    0,
    Float32Array.from({ length: rows * 3 }, (_, i) => Math.sin(i * i)),
  );
  const graph = await buildHnsw(table, { m: 4, efConstruction: 20 });
  const path = await file(Buffer.concat([...faissHnswHead(rows, 3, graph), Buffer.alloc(rows * 12)]));
  expect(await readFaissHnsw(path)).toEqual(graph);
});

test("a flat index and a missing file have no graph; a file that is cut short is told", async () => {
  expect(await readFaissHnsw(await file(faissFlatIpHeader(0, 3)))).toBeUndefined();
  expect(await readFaissHnsw("/does/not/exist")).toBeUndefined();
  const table = new VectorTable(2, 1);
  const head = Buffer.concat([...faissHnswHead(2, 1, await buildHnsw(table))]);
  await expect(readFaissHnsw(await file(head.subarray(0, 100)))).rejects.toThrow("in the middle of its graph");
});

test("links out of the graph are told: a search would follow them", async () => {
  const table = new VectorTable(3, 1);
  const graph = await buildHnsw(table);
  for (const broken of [
    { ...graph, neighbors: graph.neighbors.map((row) => (row < 0 ? row : row + 3)) },
    { ...graph, entryPoint: 3 },
  ]) {
    const head = Buffer.concat([...faissHnswHead(3, 1, broken)]);
    await expect(readFaissHnsw(await file(head))).rejects.toThrow("links to rows that there are not");
  }
});
