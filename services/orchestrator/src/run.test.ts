import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { parseManifest } from "@ragline/artifacts";
import { resolveSettings } from "@ragline/config";
import { Stage } from "@ragline/contracts";
import { afterAll, beforeAll, expect, test } from "vitest";
import { writeChunkDirectory } from "./core/chunk-directory.js";
import { chunkOptions } from "./core/chunk-options.js";
import type { RunEvent } from "./core/run-events.js";
import type { RunSummary } from "./core/run-summary.js";
import { verifySources } from "./core/verify-sources.js";
import {
  directoryOf,
  documents,
  hashesOf,
  manifestOf,
  runHere,
  type SharedServices,
  shareServices,
} from "./run-fixture.js";
import { runSettings } from "./run-settings.js";
import type { StageProcesses } from "./stages/stage-processes.js";

let input: Awaited<ReturnType<typeof directoryOf>>;
let output: Awaited<ReturnType<typeof directoryOf>>;
let summary: RunSummary;
let hashes: Record<string, string>;
/** Of those runs that are compared with the first one, which has processes of its own. */
let shared: SharedServices;
const settings = (name: string) => ({ input: [input.path], collections: ["docs"], outputDir: join(output.path, name) });

beforeAll(async () => {
  input = await directoryOf(documents);
  output = await directoryOf({});
  summary = await runHere(settings("full"));
  hashes = await hashesOf(join(output.path, "full"));
  shared = await shareServices("dense", "sparse", "rerank", "export");
});
afterAll(async () => {
  await shared.stop();
  await input.remove();
  await output.remove();
});

test("a run leaves every artifact and nothing else", () => {
  expect(Object.keys(hashes)).toEqual([
    "docs_all-miniLM-l6_embeddings.npy",
    "docs_embeddings.npy",
    "docs_index.faiss",
    "docs_metadata.json",
    "docs_qdrant.jsonl",
    "docs_rerank.jsonl",
    "docs_sparse.jsonl",
    "docs_stats.json",
    "docs_texts.json",
  ]);
});

test("every chunk has two dense and two sparse vectors, and the documents are in the chunks whole", async () => {
  const [collection] = summary.collections;
  const lines = (await readFile(join(output.path, "full", "docs_qdrant.jsonl"), "utf8")).trim().split("\n");
  expect(lines.length).toBe(collection?.chunks);
  for (const line of lines) {
    const { vector } = JSON.parse(line) as { vector: Record<string, unknown> };
    expect(Object.keys(vector).sort()).toEqual(["all-miniLM-l6", "bge-small-en-v1.5", "qdrant-bm25", "splade-tiny"]);
  }
  const { coverage } = (await manifestOf(join(output.path, "full"))) as { coverage: Record<string, number> };
  const characters = Object.values(documents).reduce((sum, text) => sum + text.length, 0);
  expect(coverage.characters).toBe(characters);
  expect((coverage.core ?? 0) + (coverage.blank ?? 0) + (coverage.skipped ?? 0)).toBe(characters);
});

test("the manifest is a valid v4.1 manifest with hashes of the files that are there", async () => {
  const manifest = parseManifest(
    await readFile(join(output.path, "full", "processing_summary.json"), "utf8"),
    "processing_summary.json",
  );
  expect(manifest.schema_version).toBe("v4.1");
  expect(manifest.run_id).toBe(summary.runId);
  expect(Object.fromEntries((manifest.outputs ?? []).map(({ name, sha256 }) => [name, sha256]))).toEqual(hashes);
  expect(manifest.inputs?.map(({ path }) => path)).toEqual(["leases.md", "notes/search.txt", "vectors.md"]);
  expect(manifest.rerank_run).toMatchObject({
    status: "executed",
    executed: true,
    model_name: "qa-minilm-l6-cross-encoder",
  });
  expect(manifest.sparse_run).toMatchObject({ executed: true, fallback_used: false, vectors: { coverage_ratio: 1 } });
});

test("the manifest accounts for every byte of every document, and the documents bear it out", async () => {
  const run = join(output.path, "full");
  const { inputs } = (await manifestOf(run)) as { inputs: { bytes: number; ledger: Record<string, number> }[] };
  for (const { bytes, ledger } of inputs)
    expect(Object.values(ledger).reduce((sum, count) => sum + count, 0)).toBe(bytes);
  expect(await verifySources(run, {})).toEqual({ sound: 3, changed: [], missing: [], problems: [] });
  const elsewhere = await directoryOf({ ...documents, "leases.md": "# Other words\n" });
  const moved = await verifySources(run, { inputs: [elsewhere.path] });
  expect(moved).toEqual({ sound: 2, changed: ["leases.md"], missing: [], problems: [] });
  await elsewhere.remove();
});

test("chunks with flags are left out where that was asked for, and what they held is still accounted for", async () => {
  const links = Array.from({ length: 8 }, (_, i) => `- [Part ${i} of the manual](parts/part-${i}.md#begin)\n`).join("");
  const other = await directoryOf({ "guide.md": `# Guide\n\nWho reads this learns it.\n`, "index.md": links });
  const { endpoints } = shared;
  const own = { ensembleModels: ["all-miniLM-l6"], enableSparse: false, enableRerank: false, endpoints };
  const outputDir = join(output.path, "flagged");
  await runHere({ ...settings("flagged"), ...own, input: [other.path], skipFlagged: ["links"] });
  const { inputs, chunk_count: count } = (await manifestOf(outputDir)) as {
    inputs: { path: string; chunks: number; ledger: Record<string, number> }[];
    chunk_count: number;
  };
  expect(count).toBe(1);
  expect(inputs.map(({ path, chunks, ledger }) => [path, chunks, ledger["flagged"] ?? 0])).toEqual([
    ["guide.md", 1, 0],
    ["index.md", 0, links.length - 1],
  ]);
  expect(await verifySources(outputDir, {})).toEqual({ sound: 1, changed: [], missing: [], problems: [] });
  await other.remove();
});

test("chunk files of the documents give the vectors that the documents give", async () => {
  const chunks = join(output.path, "chunks");
  const chunking = await chunkOptions(resolveSettings(runSettings, { env: {} }).values, "docs");
  const { signal } = new AbortController();
  await writeChunkDirectory({ inputs: [input.path], directory: join(chunks, "docs"), chunking, signal });
  const { endpoints } = shared;
  await runHere({ chunkedDir: chunks, outputDir: join(output.path, "from-chunks"), enableRerank: false, endpoints });
  const fromChunks = await hashesOf(join(output.path, "from-chunks"));
  const { "docs_rerank.jsonl": _, ...others } = hashes;
  expect(fromChunks).toEqual(others);
});

test("the self-audit finds the right chunks in every ranking", () => {
  const { selfAudit = [] } = summary.collections[0] ?? {};
  expect(selfAudit.map(({ ranking }) => ranking)).toEqual([
    "bge-small-en-v1.5",
    "all-miniLM-l6",
    "splade-tiny",
    "qdrant-bm25",
    "fused",
    "reranked",
  ]);
  for (const { ranking, hitAt10, hitAt1 } of selfAudit) {
    expect(hitAt10, ranking).toBe(1);
    expect(hitAt1, ranking).toBeGreaterThan(0.5);
  }
});

test("the manifest tells when every stage and model worked, and samples over time", async () => {
  const { stages = {}, timeline } = parseManifest(JSON.stringify(await manifestOf(join(output.path, "full"))), "full");
  expect(Object.keys(stages)).toEqual(["chunk", "dense", "sparse", "fusion", "rerank", "audit", "export"]);
  for (const [name, { seconds = 0, start_seconds: start = -1, end_seconds: end = -1 }] of Object.entries(stages)) {
    expect(start, name).toBeGreaterThanOrEqual(0);
    expect(end - start, name).toBeCloseTo(seconds, 6);
  }
  expect(stages["export"]?.start_seconds).toBeGreaterThan(stages["audit"]?.end_seconds ?? Infinity);
  const chunks = summary.collections[0]?.chunks ?? 0;
  const done = timeline?.work.filter(({ model }) => model !== "").map((work) => [work.model, work.done.at(-1)]);
  expect(done?.slice(0, 4)).toEqual([
    ["bge-small-en-v1.5", chunks],
    ["all-miniLM-l6", chunks],
    ["splade-tiny", chunks],
    ["qdrant-bm25", chunks],
  ]);
  expect(timeline?.memory.map(({ name }) => name)).toEqual(["orchestrator", "cpu:0 in use", "cpu:0 leased"]);
  for (const { bytes } of timeline?.memory ?? []) expect(bytes).toHaveLength(timeline?.at_seconds.length ?? 0);
});

test("the manifest tells the audit by parts and query, without any text of a query", async () => {
  const { evaluation } = parseManifest(JSON.stringify(await manifestOf(join(output.path, "full"))), "full");
  expect(evaluation).toMatchObject({ kind: "self-audit", queries: 5, documents_left_out: 0 });
  const parts = (by: string) => evaluation?.strata?.filter((stratum) => stratum.by === by) ?? [];
  expect(parts("kind").map(({ value }) => value)).toEqual(["heading", "sentence"]);
  expect(
    parts("document")
      .map(({ value }) => value)
      .sort(),
  ).toEqual(["leases.md", "notes/search.txt", "vectors.md"]);
  for (const by of ["kind", "content_type", "document"])
    expect(parts(by).reduce((sum, { queries }) => sum + queries, 0)).toBe(5);
  expect(evaluation?.per_query).toHaveLength(5);
  for (const { query, ranks } of evaluation?.per_query ?? []) {
    expect(Object.keys(query)).toEqual(["sha256", "length"]);
    expect(Object.keys(ranks)).toEqual(evaluation?.rankings?.map(({ ranking }) => ranking));
  }
});

test("no file that a run writes, no event and no log line holds the text of a query that is not in the chunks", async () => {
  const secret = "zebrafish quokka marmalade";
  const queries = await directoryOf({ "queries.txt": `${secret}\nwho grants the memory of a device to the stages\n` });
  const told: string[] = [];
  const run = await runHere(
    { ...settings("private"), queries: join(queries.path, "queries.txt"), ensembleModels: ["all-miniLM-l6"] },
    {
      onLine: (line) => told.push(line),
      onEvent: (event) =>
        told.push(JSON.stringify(event, (_, value: unknown) => (typeof value === "bigint" ? String(value) : value))),
    },
  );
  const names = await readdir(join(output.path, "private"));
  const written = await Promise.all(names.map((name) => readFile(join(output.path, "private", name), "latin1")));
  for (const text of [...written, ...told, JSON.stringify(run)]) {
    for (const word of [...secret.split(" "), "who grants"]) expect(text).not.toContain(word);
  }
  expect(names).toContain("docs_rerank.jsonl");
  expect(told.some((line) => line.includes("service"))).toBe(true);
  await queries.remove();
});

test("without sparse and rerank the dense files keep their bytes, and their sections are null", async () => {
  await runHere({ ...settings("dense"), endpoints: shared.endpoints, enableRerank: false, enableSparse: false });
  const dense = await hashesOf(join(output.path, "dense"));
  for (const [name, hash] of Object.entries(dense)) {
    if (name !== "docs_qdrant.jsonl") expect(hash, name).toBe(hashes[name]);
  }
  expect(Object.keys(dense)).not.toContain("docs_sparse.jsonl");
  const manifest = await manifestOf(join(output.path, "dense"));
  expect(manifest.rerank_run).toBeNull();
  expect(manifest.sparse_run).toBeNull();
});

test("models side by side, each on devices of its own, write the same bytes as one after the other", async () => {
  await runHere({ ...settings("side-by-side"), exclusiveEnsemble: false });
  expect(await hashesOf(join(output.path, "side-by-side"))).toEqual(hashes);
});

test("simulated devices that run out of memory in every other call write the same bytes", async () => {
  await runHere({ ...settings("simulated"), device: ["simulated:2x12GB:tight=1B:tight-every=2"] });
  expect(await hashesOf(join(output.path, "simulated"))).toEqual(await hashesOf(join(output.path, "full")));
  const manifest = await manifestOf(join(output.path, "simulated"));
  expect(parseManifest(JSON.stringify(manifest), "simulated").performance_baseline?.gpu).toMatchObject({
    status: "ok",
    soft_limit_gb: 10,
    soft_limit_exceeded: false,
    per_gpu: { "simulated:0": { leases: 4 } },
  });
  expect(manifest.dense_run).toMatchObject({
    gpu_count: 2,
    memory: { "bge-small-en-v1.5": { out_of_memory: expect.toSatisfy((count: number) => count > 0) } },
  });
  const held = new Map<string, string>();
  // Exclusive: what was granted on a device is given back before the next model gets it.
  for (const { kind, device, leaseId } of manifest.leases as Record<string, string>[]) {
    if (kind === "granted") expect(held.get(device ?? "")).toBeUndefined();
    if (kind === "granted") held.set(device ?? "", leaseId ?? "");
    if (kind === "released") held.delete(device ?? "");
  }
  expect(held).toEqual(new Map([...held].filter(([, leaseId]) => leaseId === "none")));
});

test("a GPU that is asked for and not there degrades the run by name, and the CPU computes", async () => {
  const few = { ensembleModels: ["all-miniLM-l6"], enableSparse: false, device: ["cuda:0"], cudaVisibleDevices: "-1" };
  const run = await runHere({ ...settings("no-gpu"), ...few });
  expect(run.degraded).toBe(true);
  const warnings = run.collections[0]?.warnings ?? [];
  expect(warnings.map(({ stage, reason }) => [stage, reason])).toEqual([
    ["dense", "device_unavailable"],
    ["rerank", "device_unavailable"],
  ]);
  const { rerank_run: rerank } = await manifestOf(join(output.path, "no-gpu"));
  expect(rerank).toMatchObject({
    device_state: {
      requested: "cuda:0",
      resolved: "cpu:0",
      fallback_applied: true,
      fallback_reason: "device_unavailable",
    },
  });
});

test("a second run writes the same bytes, and queries only where that was asked for", async () => {
  await runHere({ ...settings("again"), endpoints: shared.endpoints, storeQueries: true });
  const { "docs_rerank.jsonl": reranked, ...others } = await hashesOf(join(output.path, "again"));
  const { "docs_rerank.jsonl": without, ...expected } = hashes;
  expect(others).toEqual(expected);
  expect(reranked).not.toBe(without);
  const lines = (await readFile(join(output.path, "again", "docs_rerank.jsonl"), "utf8")).trim().split("\n");
  for (const line of lines)
    expect(JSON.parse(line)).toMatchObject({ query: { text: expect.stringMatching(/./) as string } });
  const { rerank_run, sparse_run } = await manifestOf(join(output.path, "again"));
  expect(rerank_run).toMatchObject({ query: { text: expect.stringMatching(/./) as string } });
  expect(sparse_run).toMatchObject({
    query_sparse_vector: { indices: expect.arrayContaining([expect.any(Number)]) as number[] },
  });
});

test("the optional files are written with the others, and the others keep their bytes", async () => {
  await runHere({
    ...settings("more"),
    endpoints: shared.endpoints,
    faissIndex: "hnsw",
    faissIds: true,
    saveIntermediate: true,
  });
  const {
    "docs_index.faiss": graph,
    "docs_index_ids.faiss": ids,
    "docs_fused.jsonl": fused,
    ...others
  } = await hashesOf(join(output.path, "more"));
  const { "docs_index.faiss": flat, ...expected } = hashes;
  expect(others).toEqual(expected);
  expect([graph, ids, fused].every((hash) => hash !== undefined && hash !== flat)).toBe(true);
  const lines = (await readFile(join(output.path, "more", "docs_fused.jsonl"), "utf8")).trim().split("\n");
  expect(lines).toHaveLength(summary.collections[0]?.selfAudit[0]?.queries ?? 0);
});

/** Kills the service of each stage once, when the stage has been started. */
function killEach(...stages: readonly (readonly [Stage, "dense" | "sparse" | "rerank" | "export"])[]) {
  const killed = new Set<Stage>();
  return (event: RunEvent, processes: StageProcesses): void => {
    const [stage, name] = stages.find(([each]) => event.case === "stageStarted" && event.value.stage === each) ?? [];
    if (stage === undefined || name === undefined || killed.has(stage)) return;
    killed.add(stage);
    void processes.pids().then((pids) => process.kill(pids[name] ?? 0, "SIGKILL"));
  };
}

test("when the service of a stage is killed, each of them, it is started again and the files have the same bytes", async () => {
  const { DENSE, SPARSE, RERANK, EXPORT } = Stage;
  const onEvent = killEach([DENSE, "dense"], [SPARSE, "sparse"], [RERANK, "rerank"], [EXPORT, "export"]);
  const run = await runHere(settings("killed"), { onEvent });
  expect(await hashesOf(join(output.path, "killed"))).toEqual(hashes);
  expect(await readdir(join(output.path, "killed"))).toHaveLength(Object.keys(hashes).length + 2);
  const { warnings = [] } = run.collections[0] ?? {};
  const told = warnings.map(({ stage, reason }) => `${stage} ${reason}`).sort();
  expect(told).toEqual(["dense", "export", "rerank", "sparse"].map((name) => `${name} executor_unavailable`));
  expect(run.degraded).toBe(false);
});

test("a stage that dies every time fails the run by name, and nothing half-written stays", async () => {
  const endless = (event: RunEvent, stages: StageProcesses): void => {
    if (event.case === "stageStarted" && event.value.stage === Stage.DENSE)
      void stages.pids().then((pids) => process.kill(pids.dense ?? 0, "SIGKILL"));
  };
  const run = runHere({ ...settings("dying"), ensembleModels: ["all-miniLM-l6"] }, { onEvent: endless });
  await expect(run).rejects.toThrow(/dense service/);
  expect(await readdir(join(output.path, "dying"))).toEqual([]);
});

test("stages whose endpoints are down degrade the run: fused order stays, sparse vectors are from metadata, all by name", async () => {
  const run = await runHere({
    ...settings("no-stages"),
    ensembleModels: ["all-miniLM-l6"],
    endpoints: ["rerank=127.0.0.1:1", "sparse=127.0.0.1:1"],
  });
  expect(run.degraded).toBe(true);
  const manifest = await manifestOf(join(output.path, "no-stages"));
  expect(manifest.rerank_run).toMatchObject({
    status: "error",
    executed: false,
    fallback_reason: "executor_unavailable",
    scores: [],
  });
  expect(run.collections[0]?.warnings.find(({ stage }) => stage === "rerank")?.detail).toContain("127.0.0.1:1");
  const [line = ""] = (await readFile(join(output.path, "no-stages", "docs_qdrant.jsonl"), "utf8")).split("\n");
  const { vector } = JSON.parse(line) as { vector: Record<string, unknown> };
  expect(Object.keys(vector).sort()).toEqual(["all-miniLM-l6", "metadata-terms"]);
  expect(manifest.sparse_run).toMatchObject({
    executed: false,
    fallback_used: true,
    fallback_reason: "metadata_fallback",
  });
});

test("a run that is stopped leaves the output directory as it was", async () => {
  const controller = new AbortController();
  const before = await hashesOf(join(output.path, "full"));
  const stop = (event: RunEvent): void => {
    if (event.case === "stageProgress") controller.abort(new Error("stopped by a test"));
  };
  await expect(runHere(settings("full"), { signal: controller.signal, onEvent: stop })).rejects.toThrow(
    "stopped by a test",
  );
  expect(await hashesOf(join(output.path, "full"))).toEqual(before);
});
