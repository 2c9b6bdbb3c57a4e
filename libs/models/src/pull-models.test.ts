import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type HubRepository, LoopbackHub } from "@ragline/loopback-hub";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { type ModelEntry, modelEntrySchema } from "./model-entry.js";
import { graphFiles, sharedFiles } from "./model-files.js";
import { findModel, listModels } from "./model-registry.js";
import { type HubModelEntry, isHubModel, ModelStore, type ModelStoreOptions } from "./model-store.js";
import type { Precision } from "./precision.js";
import { publishedModels } from "./published-models.js";

const commit = "0123456789abcdef0123456789abcdef01234567";
const entries = listModels().filter(isHubModel);
const each = entries.flatMap((entry) =>
  (Object.keys(entry.graphs) as Precision[]).map((precision) => [entry.key, precision, entry] as const),
);

let hub: LoopbackHub;
let folder: string;

beforeAll(async () => {
  hub = await LoopbackHub.start();
});

afterAll(() => hub.close());

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "ragline-store-"));
  hub.repositories.clear();
  hub.requests.length = 0;
  for (const { source, graphs, ...entry } of entries) {
    const files: Record<string, string> = { "README.md": "", "model.safetensors": "" };
    for (const precision of Object.keys(graphs) as Precision[])
      for (const { name } of graphFiles({ ...entry, source, graphs }, precision)) files[name] = `${entry.key} ${name}`;
    for (const { name } of sharedFiles({ ...entry, source, graphs })) files[name] = `{"of":"${source.repository}"}`;
    const known = hub.repositories.get(source.repository)?.files;
    hub.repositories.set(source.repository, { commit, files: { ...files, ...known } });
  }
  return () => rmSync(folder, { recursive: true });
});

const store = (more: ModelStoreOptions = {}) =>
  new ModelStore({
    hfEndpoint: hub.endpoint,
    hfCacheDir: join(folder, "cache"),
    hfHome: folder,
    modelsLock: join(folder, "models.lock"),
    minBackoffMs: 1,
    ...more,
  });

const repositoryOf = (entry: HubModelEntry): HubRepository => {
  const repository = hub.repositories.get(entry.source.repository);
  if (!repository) throw new Error(`the hub has no ${entry.source.repository}`);
  return repository;
};

test("the registry has every model that users of the pipeline before know, with its dimension and limit", () => {
  const known: Record<ModelEntry["stage"], Record<string, [number, number] | undefined>> = {
    dense: {
      "jina-code-embeddings-1.5b": [1024, 32768],
      "bge-m3": [1024, 8192],
      "jina-embeddings-v4": [1024, 32768],
      "qwen3-embedding-0.6b": [1024, 32768],
      "nomic-coderank": [768, 2048],
      "qdrant-minilm-onnx": [384, 256],
      "all-miniLM-l6": [384, 256],
    },
    sparse: {
      splade: undefined,
      "splade-v3": undefined,
      "qdrant-bm25": undefined,
      "qdrant-minilm-attention": undefined,
    },
    rerank: {
      "jina-reranker-v3": undefined,
      "coderank-bi-encoder": undefined,
      "bge-reranker-v2-m3": undefined,
      "cross-encoder/ms-marco-MiniLM-L-6-v2": undefined,
    },
  };
  for (const [stage, names] of Object.entries(known))
    for (const [name, limits] of Object.entries(names)) {
      const { dimension, maxTokens } = findModel(name.toUpperCase(), stage as ModelEntry["stage"]);
      if (limits) expect([name, dimension, maxTokens]).toEqual([name, ...limits]);
    }
  expect(publishedModels).toHaveLength(entries.length);
});

test.each(each)("%s in %s is pulled, pinned, and found again without a network", async (key, precision, entry) => {
  const pulled = await store().open(entry, precision);
  const wanted = [...sharedFiles(entry), ...graphFiles(entry, precision)].map(({ name }) => name);
  expect(pulled.files.map(({ name }) => name)).toEqual(wanted);
  expect(readFileSync(pulled.graphPath, "utf8")).toBe(repositoryOf(entry).files[graphFiles(entry, precision)[0].name]);
  expect(readFileSync(pulled.tokenizerPath, "utf8")).toContain(entry.source.repository);
  const asked = new Set(hub.requests.map(({ path }) => path.split("?")[0]?.split("/").slice(1).join("/")));
  expect([...asked].every((path) => wanted.some((name) => path?.endsWith(name)))).toBe(true);
  const { models } = JSON.parse(readFileSync(join(folder, "models.lock"), "utf8")) as {
    models: Record<string, { revision: string; files: object }>;
  };
  expect(models[key]?.revision).toBe(commit);
  expect(Object.keys(models[key]?.files ?? {})).toEqual(wanted.toSorted((a, b) => (a < b ? -1 : 1)));
  hub.requests.length = 0;
  const offline = store({ localFilesOnly: true });
  expect(await offline.isHere(entry, precision)).toBe(true);
  expect((await offline.open(entry, precision)).graphPath).toBe(pulled.graphPath);
  expect(hub.requests).toEqual([]);
});

const bge = findModel("bge-m3", "dense") as HubModelEntry;
const small = findModel("qdrant-minilm-onnx", "dense") as HubModelEntry;

test("a later pull that differs from the pin is refused until the new files are meant", async () => {
  const first = await store().open(small, "fp32");
  const repository = repositoryOf(small);
  repository.files["model.onnx"] = "other bytes";
  const problem =
    /qdrant-minilm-onnx: .*model\.onnx has .* on the hub, but .* pinned; if the new files are meant: ragline models pull qdrant-minilm-onnx --repin/;
  await expect(store().open(small, "fp32", { refresh: true })).rejects.toThrow(problem);
  rmSync(join(folder, "cache"), { recursive: true });
  await expect(store().open(small, "fp32")).rejects.toThrow(problem);
  repository.commit = "f".repeat(40);
  await expect(store().open(small, "fp32")).rejects.toThrow(/has no such revision/);
  const second = await store().open(small, "fp32", { repin: true });
  expect(second.files.at(-1)?.sha256).not.toBe(first.files.at(-1)?.sha256);
  await expect(store({ localFilesOnly: true }).open(small, "fp32")).resolves.toBeDefined();
});

test("a branch that moves on leaves a pinned model where it is", async () => {
  const first = await store().open(small, "fp32");
  const { files } = repositoryOf(small);
  hub.repositories.set(small.source.repository, { commit: "e".repeat(40), files: { ...files, "model.onnx": "newer" } });
  expect((await store().open(small, "fp32")).graphPath).toBe(first.graphPath);
  expect((await store().open(small, "fp32", { repin: true })).graphPath).toContain("e".repeat(40));
});

test("pins of several precisions and models stand side by side, also when written at once", async () => {
  await Promise.all([store().open(bge, "fp16"), store().open(bge, "int8"), store().open(small, "fp32")]);
  const { models } = JSON.parse(readFileSync(join(folder, "models.lock"), "utf8")) as {
    models: Record<string, { files: object }>;
  };
  expect(Object.keys(models["bge-m3"]?.files ?? {})).toEqual([
    "onnx/model_fp16.onnx",
    "onnx/model_int8.onnx",
    "tokenizer.json",
  ]);
  expect(models["qdrant-minilm-onnx"]).toBeDefined();
});

test("an entry that pins everything needs no lock file, and what differs from it is refused", async () => {
  const sha256 = "a".repeat(64);
  const pinned = modelEntrySchema.parse({
    ...small,
    source: { ...small.source, revision: commit },
    graphs: { fp32: { graph: { name: "model.onnx", sha256 } } },
  }) as HubModelEntry;
  await expect(store().open(pinned, "fp32")).rejects.toThrow(/sha256 .* on the hub, but aaaa.* is pinned/);
});

test("a model that cannot be had says what to do", async () => {
  hub.repositories.delete("jinaai/jina-embeddings-v4");
  const v4 = findModel("jina-embeddings-v4") as HubModelEntry;
  await expect(store({ localFilesOnly: true }).open(v4, "fp32")).rejects.toThrow(
    /nothing may be downloaded .*; pull it first where there is a network: ragline models pull jina-embeddings-v4$/,
  );
  hub.repositories.set("jinaai/jina-embeddings-v4", { commit, files: {} });
  await expect(store().open(v4, "fp32")).rejects.toThrow(/no such file; its authors publish no ONNX file; export one/);
  await expect(store().open(v4, "int8")).rejects.toThrow(/has no graph in int8; choose one of: auto, fp32$/);
});

test("a lock file that is none is named, and so is one that cannot be written", async () => {
  const file = join(folder, "a-file");
  writeFileSync(file, "not JSON");
  await expect(store({ modelsLock: join(file, "models.lock") }).open(small, "fp32")).rejects.toThrow(
    /cannot (read|write) .*models\.lock: .*(; choose another place with --models-lock)?/,
  );
  await expect(store({ modelsLock: file }).open(small, "fp32")).rejects.toThrow(
    /is no lock file of models; restore it, or remove it/,
  );
});
