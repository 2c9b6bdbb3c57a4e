import { execFile } from "node:child_process";
import { readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { LoopbackHub } from "@ragline/loopback-hub";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { directoryOf } from "./run-fixture.js";

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

const program = fileURLToPath(new URL("../bin/ragline.mjs", import.meta.url));
const families = fileURLToPath(new URL("../../../libs/inference/fixtures/families", import.meta.url));
// None of them is a BERT: a decoder with left padding, position ids and empty caches; logits that the worker pools; XLM-R.
const [dense, sparse, rerank] = ["qwen3-cache", "splade-logits", "cross-encoder-two"] as const;

interface Reference {
  readonly query: string;
  readonly texts: string[];
  /** By the library of the model's authors. */
  readonly results: number[][];
}

const readFixture = <Content>(name: string, file: string): Content =>
  JSON.parse(readFileSync(join(families, name, file), "utf8")) as Content;
const { query, texts } = readFixture<Reference>(dense, "reference.json");
// An empty text is no chunk.
const chunks = texts.filter((text) => text !== "");
const expected = (name: string): number[][] => readFixture<Reference>(name, "reference.json").results.slice(1);

const largestDifference = (found: readonly number[], right: readonly number[]): number =>
  found.length === right.length
    ? found.reduce((most, value, i) => Math.max(most, Math.abs(value - (right[i] ?? Number.NaN))), 0)
    : Number.POSITIVE_INFINITY;

/** The entry of a family as a user writes it for a repository of the hub: nothing is pinned. */
function entryOf(name: string): object {
  const entry = readFixture<{ tokenizer: object; graphs: object }>(name, "entry.json");
  const text = JSON.stringify(entry).replaceAll(/"bytes":\d+,"sha256":"[0-9a-f]+"/g, '"sha256":"unpinned"');
  const source = { kind: "hub", repository: `fixture/${name}`, revision: "unpinned" };
  return { ...(JSON.parse(text) as object), source };
}

let hub: LoopbackHub;
let folder: Awaited<ReturnType<typeof directoryOf>>;

beforeAll(async () => {
  hub = await LoopbackHub.start(
    Object.fromEntries(
      [dense, sparse, rerank].map((name, i) => {
        const names = readdirSync(join(families, name)).filter((file) => /^(model|tokenizer)/.test(file));
        const files = Object.fromEntries(names.map((file) => [file, readFileSync(join(families, name, file))]));
        return [`fixture/${name}`, { commit: `${i}`.repeat(40), files }];
      }),
    ),
  );
  const records = chunks.map((text, i) => ({
    text,
    metadata: { chunk_id: `a-${i}`, source_file: "a.md", chunk_index: i },
  }));
  folder = await directoryOf({
    "config/embedder.json": JSON.stringify({ models: [dense, sparse, rerank].map(entryOf) }),
    "chunks/docs/a_chunks.json": JSON.stringify(records),
    "queries.jsonl": `${JSON.stringify({ _id: "q", text: query })}\n`,
  });
});

afterAll(async () => {
  await hub.close();
  await folder.remove();
});

function ragline(args: readonly string[], env: Record<string, string> = {}) {
  const home = { HF_HOME: join(folder.path, "hf"), HF_ENDPOINT: hub.endpoint, RAGLINE_WORKERS: "1", CI: "true" };
  const options = { cwd: folder.path, env: { ...process.env, ...home, ...env } };
  return new Promise<{ code: unknown; stdout: string; stderr: string }>((resolve) => {
    execFile(process.execPath, [program, ...args], options, (error, stdout, stderr) =>
      resolve({ code: error ? error.code : 0, stdout, stderr }),
    );
  });
}

test("a run pulls the models that it needs, and gives what their authors' libraries give", async () => {
  const models = ["--ensemble-models", dense, "--sparse-models", sparse, "--rerank-model", `FIXTURE/${rerank}`];
  const inputs = ["--chunked-dir", "chunks", "--queries", "queries.jsonl", "--output-dir", "out"];
  const { code, stderr } = await ragline(["run", ...inputs, ...models]);
  expect(stderr).toBe("");
  expect(code).toBe(0);

  const read = (name: string) => readFileSync(join(folder.path, "out", name));
  const matrix = read("docs_embeddings.npy");
  const start = 10 + matrix.readUInt16LE(8);
  const vectors = Array.from({ length: (matrix.length - start) / 4 }, (_, at) => matrix.readFloatLE(start + 4 * at));
  const vectorsExpected = expected(dense);
  expect(largestDifference(vectors, vectorsExpected.slice(0, chunks.length).flat())).toBeLessThan(1e-5);

  const weights = expected(sparse);
  const lines = (name: string) => read(name).toString("utf8").trimEnd().split("\n");
  lines("docs_sparse.jsonl").forEach((line, row) => {
    const { indices, values } = (JSON.parse(line) as { sparse_vector: { indices: number[]; values: number[] } })
      .sparse_vector;
    const ids = weights[row]?.flatMap((weight, id) => (weight > 0 ? [id] : [])) ?? [];
    expect(indices).toEqual(ids);
    const right = ids.map((id) => weights[row]?.[id] ?? Number.NaN);
    expect(largestDifference(values, right)).toBeLessThan(1e-5);
  });

  const [ranking = ""] = lines("docs_rerank.jsonl");
  const { candidates } = JSON.parse(ranking) as {
    candidates: { row: number; rerank_score: number; sources: Record<string, { score: number }> }[];
  };
  const cosines = vectorsExpected
    .slice(0, chunks.length)
    .map((vector) => vector.reduce((sum, value, i) => sum + value * (vectorsExpected.at(-1)?.[i] ?? Number.NaN), 0));
  for (const { row, rerank_score: score, sources } of candidates) {
    expect(largestDifference([score], expected(rerank)[row] ?? [])).toBeLessThan(1e-5);
    // The query was read with its instruction.
    expect(sources[dense]?.score).toBeCloseTo(cosines[row] ?? Number.NaN, 5);
  }
  expect(candidates).toHaveLength(chunks.length);

  const lock = JSON.parse(readFileSync(join(folder.path, "ragline.models.lock"), "utf8")) as {
    models: Record<string, { revision: string }>;
  };
  expect(Object.entries(lock.models).map(([key, { revision }]) => [key, revision[0]])).toEqual([
    [rerank, "2"],
    [dense, "0"],
    [sparse, "1"],
  ]);
});

test("a search of that run needs no network, and says which model is missing when it has gone", async () => {
  hub.requests.length = 0;
  const search = ["search", query, "--run", "out", "--json"];
  const found = await ragline(search, { HF_HUB_OFFLINE: "1" });
  expect(found.stderr).toMatch(/^reading 9 chunks of .* once to index them\n$/);
  expect(found.code).toBe(0);
  expect(hub.requests).toEqual([]);
  rmSync(join(folder.path, "hf", "hub", `models--fixture--${dense}`), { recursive: true });
  const gone = await ragline(search, { HF_HUB_OFFLINE: "1" });
  expect(gone.stderr).toMatch(
    /model qwen3-cache: .* not in the cache .*; pull it first .*: ragline models pull qwen3-cache/,
  );
  expect(gone.code).toBe(1);
});
