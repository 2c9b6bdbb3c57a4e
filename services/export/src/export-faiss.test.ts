import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { faissFlatIpHeader, faissHnswHead, faissId, pointIds } from "@ragline/artifacts";
import { FaissIndex } from "@ragline/contracts";
import { buildHnsw, VectorTable } from "@ragline/hnsw";
import { toFloat32Bytes } from "@ragline/vectors";
import { beforeAll, beforeEach, expect, test } from "vitest";
import {
  client,
  connect,
  content,
  denseKind,
  type Files,
  freshOutputDir,
  ids,
  type Kind,
  outputDir,
  primary,
  type Request,
  send,
} from "./export-fixture.js";

beforeAll(connect);
beforeEach(freshOutputDir);

const read = (name: string) => readFileSync(join(outputDir, `docs_${name}`));
const namesOf = (files: Files) => files.map(({ name }) => name.replace("docs_", ""));
const others = (files: Files) => files.filter(({ name }) => !/faiss|fused/.test(name));

const columns = 64;
const largeRows = 6000;

/** The messages of a run of many random vectors, up to and with finish: its graph takes seconds. */
function* largeRun(): Generator<Kind> {
  const idOf = pointIds("docs");
  const values = Float32Array.from({ length: largeRows * columns }, (_, i) => Math.sin(i * i + (i % 977)));
  const dense = [{ name: "bge", dimension: columns, huggingFaceId: "BAAI/bge" }];
  const open = { dense, chunkCount: BigInt(largeRows), faissIndex: FaissIndex.HNSW };
  yield* content({ sparse: false, rerank: false, open }).slice(0, 1);
  const chunks = Array.from({ length: largeRows }, (_, i) => ({ id: idOf(`${i}`), text: `${i}`, metadataJson: "{}" }));
  yield { case: "chunks", value: { chunks } };
  yield denseKind("bge", values, largeRows);
  yield { case: "finish", value: {} };
}

const fusedKind = (...linesJson: string[]): Kind => ({ case: "fused", value: { linesJson } });

test("a graph index holds the graph over the primary vectors, the same on every run; other files do not change", async () => {
  const usual = await send(content());
  const { files } = await send(content({ open: { faissIndex: FaissIndex.HNSW } }));
  expect(namesOf(files)).toEqual(namesOf(usual.files));
  expect(others(files)).toEqual(others(usual.files));
  const table = new VectorTable(4, 3);
  table.set(0, primary);
  const expected = Buffer.concat([...faissHnswHead(4, 3, await buildHnsw(table)), toFloat32Bytes(primary)]);
  expect(read("index.faiss").equals(expected)).toBe(true);
  const again = await send(content({ open: { faissIndex: FaissIndex.HNSW } }));
  expect(again.files).toEqual(files);
});

test("an id-mapped index is a flat one with the first 63 bits of each point's UUID", async () => {
  const usual = await send(content());
  const { files } = await send(content({ open: { faissIds: true } }));
  expect(namesOf(files).slice(2, 4)).toEqual(["index.faiss", "index_ids.faiss"]);
  expect(files.filter(({ name }) => name !== "docs_index_ids.faiss")).toEqual(usual.files);
  const bytes = read("index_ids.faiss");
  const flat = Buffer.concat([faissFlatIpHeader(4, 3), toFloat32Bytes(primary)]);
  expect(bytes.subarray(0, 4).toString()).toBe("IxM2");
  expect(bytes.subarray(4, 37)).toEqual(flat.subarray(4, 37));
  expect(bytes.subarray(37, 37 + flat.length).equals(flat)).toBe(true);
  const end = bytes.subarray(37 + flat.length);
  expect(end).toHaveLength(8 + 4 * 8);
  expect(ids.map((_, row) => end.readBigInt64LE(8 + 8 * row))).toEqual(ids.map(faissId));
});

test("without a FAISS index there is none, and that of an older run goes", async () => {
  const usual = await send(content({ open: { faissIds: true, fused: true } }));
  const { files } = await send(content({ open: { faissIndex: FaissIndex.NONE } }));
  expect(files).toEqual(others(usual.files));
  expect(readdirSync(outputDir).filter((name) => /faiss|fused/.test(name))).toEqual([]);
});

test("fused lines are a file between sparse and rerank", async () => {
  const usual = await send(content());
  const kinds = content({ open: { fused: true } });
  kinds.splice(-2, 0, fusedKind('{"query_id": "q1"}'), fusedKind('{"query_id": "q2"}'));
  const { files } = await send(kinds);
  expect(namesOf(files).slice(-3)).toEqual(["sparse.jsonl", "fused.jsonl", "rerank.jsonl"]);
  expect(others(files)).toEqual(usual.files.filter(({ name }) => !/faiss/.test(name)));
  expect(read("fused.jsonl").toString()).toBe('{"query_id":"q1"}\n{"query_id":"q2"}\n');
});

const sameId = (kinds: Kind[]) =>
  kinds.map((kind): Kind => {
    if (kind.case !== "chunks" || kind.value.chunks?.length !== 3) return kind;
    const [first, ...rest] = kind.value.chunks;
    const uuid = (first?.id ?? "").replace(/.{12}$/, "0123456789ab");
    return { case: "chunks", value: { chunks: [{ ...first }, { ...rest[0], id: uuid }, { ...rest[1] }] } };
  });

test.each([
  ["two points with one FAISS id", () => sameId(content({ open: { faissIds: true } })), "Two points have UUIDs"],
  [
    "an index of the future",
    () => content({ open: { faissIndex: 9 as FaissIndex } }),
    "does not know the FAISS index 9",
  ],
  ["fused lines that were not announced", () => [...content().slice(0, -1), fusedKind("{}")], "opened without fused"],
  [
    "a fused line that is a list",
    () => [...content({ open: { fused: true } }).slice(0, -1), fusedKind("[]")],
    "A fused line is not a JSON object",
  ],
])("%s: refused, and nothing is left", async (_, kinds, message) => {
  await expect(send(kinds())).rejects.toThrow(message);
  expect(readdirSync(outputDir)).toEqual([]);
});

test("points that would share a FAISS id are exported without ids", async () => {
  expect((await send(sameId(content()))).files).toHaveLength(9);
});

test("while a graph is built the service answers others, and a caller who leaves leaves nothing behind", async () => {
  const abort = new AbortController();
  let asked = false;
  async function* requests(): AsyncGenerator<Request> {
    for (const kind of largeRun()) yield { kind };
    asked = true;
    await new Promise((resolve) => abort.signal.addEventListener("abort", resolve));
  }
  let isBuilt = false;
  const building = (async () => {
    for await (const { kind } of client.export(requests(), { signal: abort.signal })) {
      isBuilt = true;
      return kind.case;
    }
    return "ended";
  })().catch((error: unknown) => error);
  await expect.poll(() => asked).toBe(true);
  // Long enough that the graph is begun.
  await new Promise((resolve) => setTimeout(resolve, 400));
  await expect(send([{ case: "finish", value: {} }])).rejects.toThrow("must be");
  expect(isBuilt).toBe(false);
  expect(readdirSync(outputDir)).toHaveLength(1);
  abort.abort();
  expect(await building).toBeInstanceOf(Error);
  await expect.poll(() => readdirSync(outputDir)).toEqual([]);
});
