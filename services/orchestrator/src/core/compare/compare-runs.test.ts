import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { artifactNames, MANIFEST_NAME, pointId, sealManifest, sha256Of } from "@ragline/artifacts";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { compareAction } from "../../cli/compare-action.js";
import { compareText } from "../../cli/compare-text.js";
import { directoryOf } from "../../run-fixture.js";
import { compareRuns, significantlyWorse } from "./compare-runs.js";

let directory: Awaited<ReturnType<typeof directoryOf>>;
beforeAll(async () => {
  directory = await directoryOf({});
});
afterAll(() => directory.remove());

const hash = (text: string): string => sha256Of(text);
const ranks = (count: number, rankOf: (query: number) => number | null, first = 0) =>
  Array.from({ length: count }, (_, i) => ({
    kind: "heading",
    query: { sha256: `sha256:${hash(String(i + first)).slice(0, 12)}`, length: 10 },
    row: i,
    document: "a.md",
    content_type: "prose",
    answers: 1,
    ranks: { fused: rankOf(i) },
  }));

/** A model that took so many seconds for 40 chunks. */
const timelineOf = (seconds: number) => ({
  started_at: "2026-01-01T00:00:00.000Z",
  period_seconds: 1,
  at_seconds: [],
  work: [
    { stage: "dense", model: "bge", unit: "chunks", items: 40, start_seconds: 1, end_seconds: 1 + seconds, done: [] },
    { stage: "export", model: "", unit: "files", items: 0, start_seconds: 20, end_seconds: null, done: [] },
  ],
  memory: [],
});

const manifest = {
  schema_version: "v4.1",
  collection: "docs",
  chunk_count: 3,
  run_id: "run-a",
  generated_at: "2026-01-01T00:00:00.000Z",
  feature_toggles: {
    provenance: [
      { key: "chunk_tokens", value: 256, layer: "default", source: "default" },
      { key: "fusion", value: "zscore", layer: "default", source: "default" },
    ],
  },
  versions: { ragline: "0.1.0", node: "20.20.2" },
  inputs: [
    { path: "a.md", bytes: 1, sha256: hash("a") },
    { path: "b.md", bytes: 1, sha256: hash("b") },
  ],
  models: [
    { stage: "dense", name: "bge", precision: "int8", files: [{ name: "m.onnx", bytes: 1, sha256: hash("m") }] },
  ],
  outputs: [{ name: "docs_stats.json", bytes: 1, sha256: hash("stats") }],
  stages: { dense: { seconds: 10 }, export: {} },
  dense_run: { chunks_per_second: 20, memory: { bge: { peak_memory_gb: 0.5 } } },
  performance_baseline: { devices: [{ device: "cpu:0", kind: "cpu", leases: 1, peak_bytes: 5e8 }] },
  timeline: timelineOf(10),
  outcomes: [],
  anomalies: [],
  evaluation: {
    kind: "self-audit",
    queries: 20,
    rankings: [{ ranking: "fused", queries: 20, hitAt1: 1, hitAt10: 1, mrrAt10: 1 }],
    per_query: ranks(20, () => 1),
  },
};

/** Writes a run whose points have these texts, and returns its directory. */
async function run(name: string, changes: object = {}, texts: readonly string[] = ["one", "two", "three"]) {
  const path = join(directory.path, name);
  await mkdir(path, { recursive: true });
  const whole = { ...manifest, ...changes };
  const points = texts.map((text) => {
    const payload = { text, relative_path: `${text}.md` };
    return `${JSON.stringify({ id: pointId(whole.collection, hash(text)), vector: {}, payload })}\n`;
  });
  await writeFile(join(path, artifactNames(whole.collection).qdrant), points.join(""));
  await writeFile(join(path, MANIFEST_NAME), sealManifest(whole));
  return path;
}

test("a run is the same as itself", async () => {
  const path = await run("same");
  const comparison = await compareRuns(path, join(path, MANIFEST_NAME));
  expect(comparison).toMatchObject({
    configuration: [],
    versions: [],
    findings: [],
    warnings: [],
    models: { same: 1, changed: [], added: [], removed: [] },
    inputs: { same: 2, changed: [], added: [], removed: [] },
    points: { same: 3, added: { count: 0 }, removed: { count: 0 } },
    quality: { queries: { same: 20, onlyA: 0, onlyB: 0 } },
  });
  expect(comparison.quality.changes.map(({ paired }) => paired?.p)).toEqual([1, 1, 1]);
  expect(compareText(comparison)).toContain("Configuration: every setting has the same value");
});

test("what changed is told part by part, and a figure that is worse beyond chance is found", async () => {
  const a = await run("before");
  const b = await run(
    "after",
    {
      run_id: "run-b",
      feature_toggles: {
        provenance: [
          { key: "chunk_tokens", value: 128, layer: "cli", source: "--chunk-tokens" },
          { key: "fusion", value: "zscore", layer: "cli", source: "--fusion" },
        ],
      },
      versions: { ragline: "0.2.0", node: "20.20.2" },
      inputs: [
        { path: "a.md", bytes: 2, sha256: hash("a2") },
        { path: "c.md", bytes: 1, sha256: hash("c") },
      ],
      models: [{ ...manifest.models[0], precision: "fp32" }],
      outputs: [{ name: "docs_stats.json", bytes: 2, sha256: hash("other") }],
      stages: { dense: { seconds: 25 } },
      timeline: timelineOf(20),
      dense_run: { chunks_per_second: 8, memory: { bge: { peak_memory_gb: 1 } } },
      outcomes: [
        { stage: "dense", reason: "text_truncated", source: "runtime", model: "bge", count: 4, degraded: true },
      ],
      evaluation: {
        ...manifest.evaluation,
        rankings: [{ ranking: "fused", queries: 20, hitAt1: 0.5, hitAt10: 1, mrrAt10: 0.75 }],
        per_query: ranks(20, (query) => (query % 2 === 0 ? 1 : 2)),
      },
    },
    ["one", "two", "four"],
  );
  const comparison = await compareRuns(a, b);
  expect(comparison).toMatchObject({
    configuration: [{ name: "chunk_tokens", a: { value: 256, layer: "default" }, b: { value: 128, layer: "cli" } }],
    versions: [{ name: "ragline", a: "0.1.0", b: "0.2.0" }],
    inputs: { same: 0, changed: [{ name: "a.md" }], added: ["c.md"], removed: ["b.md"] },
    models: { same: 0, changed: [{ name: "dense bge" }] },
    files: { same: 0, changed: [{ name: "stats.json" }] },
    points: {
      same: 2,
      added: { count: 1, first: [{ row: 2, document: "four.md" }] },
      removed: { count: 1, first: [{ row: 2, document: "three.md" }] },
    },
    speed: [
      { name: "dense", unit: "seconds", a: 10, b: 25, ratio: 2.5 },
      { name: "dense vectors", unit: "items/s", ratio: 0.4 },
      { name: "dense bge", unit: "items/s", a: 4, b: 2, ratio: 0.5 },
    ],
    memory: [
      { name: "device cpu:0", ratio: 1 },
      { name: "model bge", a: 5e8, b: 1e9, ratio: 2 },
    ],
    findings: [{ name: "degraded: dense text_truncated bge", a: null, b: 4 }],
  });
  // Ten of twenty queries fell from the first to the second place: all of 2^10 sign assignments, two are as extreme.
  expect(comparison.quality.changes[0]).toMatchObject({
    metric: "hit@1",
    a: 1,
    b: 0.5,
    paired: { queries: 20, difference: -0.5, p: 2 / 1024 },
  });
  expect(significantlyWorse(comparison).map(({ metric }) => metric)).toEqual(["hit@1", "MRR@10"]);
  const text = compareText(comparison);
  expect(text).toMatch(/chunk_tokens +256 \(default\) +128 \(cli\)/);
  expect(text).toContain("Inputs: 0 are the same; changed: a.md; only in a: b.md; only in b: c.md");
  expect(text).toMatch(/Chunks: 2 are the same; only in a: 1 \(first: row 2 of three\.md, [0-9a-f-]{36}\)/);
});

test("queries that one run has alone are counted, and the test is over those of both", async () => {
  const a = await run("a-queries");
  const b = await run("b-queries", { evaluation: { ...manifest.evaluation, per_query: ranks(20, () => 1, 5) } });
  const { quality, warnings } = await compareRuns(a, b);
  expect(quality.queries).toEqual({ same: 15, onlyA: 5, onlyB: 5 });
  expect(quality.changes[0]?.paired?.queries).toBe(15);
  expect(warnings).toMatchObject([{ kind: "different-queries", count: 10 }]);
});

test("points whose ids are no UUIDs are not compared, and told so", async () => {
  const a = await run("uuids");
  const b = await run("numbers");
  await writeFile(join(b, artifactNames("docs").qdrant), '{"id":1,"vector":{},"payload":{}}\n');
  const { points, warnings } = await compareRuns(a, b);
  expect(points).toBeNull();
  expect(warnings).toMatchObject([{ kind: "no-point-ids", detail: expect.stringContaining("Line 1 of") }]);
});

test("runs of earlier versions and without points are compared as far as they go", async () => {
  const old = await run("old", { schema_version: "v4.0", evaluation: { rankings: manifest.evaluation.rankings } });
  const none = join(directory.path, "none");
  await mkdir(none);
  await writeFile(
    join(none, MANIFEST_NAME),
    JSON.stringify({ schema_version: "v4.0", collection: "docs", chunk_count: 1 }),
  );
  const comparison = await compareRuns(old, none);
  const { warnings, quality, points, configuration } = comparison;
  expect(warnings.map(({ kind }) => kind)).toEqual(["no-settings", "no-query-ranks", "no-point-ids"]);
  expect([points, configuration]).toEqual([null, null]);
  expect(compareText(comparison)).not.toContain("every setting has the same value");
  expect(quality.changes[0]).toMatchObject({ a: 1, b: null, paired: null });
});

test("another name is a warning where files are shared, and an error where nothing is", async () => {
  const a = await run("named");
  const renamed = await run("renamed", { collection: "manual" });
  const comparison = await compareRuns(a, renamed);
  expect(comparison.points).toBeNull();
  expect(comparison.warnings).toMatchObject([{ kind: "different-collections", count: 2 }]);
  const other = await run("other", { collection: "other", inputs: [{ path: "a.md", sha256: hash("x") }] });
  await expect(compareRuns(a, other)).rejects.toThrow(
    "docs (2 input files) and other (1) have no input file in common; compare runs of the same documents",
  );
});

test.each([
  ["the same run", ["same", "same"], {}, 0],
  ["a worse run", ["before", "after"], {}, 0],
  ["a worse run that must not be", ["before", "after"], { failOn: "worse" }, 3],
  ["a better run", ["after", "before"], { failOn: "worse" }, 0],
  ["no run", ["same", "nowhere"], { json: true }, 2],
  ["another collection", ["same", "other"], {}, 2],
] as const)("%s: the exit code", async (_, [a, b], flags, code) => {
  for (const stream of [process.stdout, process.stderr]) vi.spyOn(stream, "write").mockReturnValue(true);
  expect(await compareAction(join(directory.path, a), join(directory.path, b), flags)).toBe(code);
  vi.restoreAllMocks();
});
