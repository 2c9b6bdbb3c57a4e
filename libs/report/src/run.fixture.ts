import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { artifactNames, MANIFEST_NAME, npyHeader, pointId, sealManifest } from "@ragline/artifacts";

/** What a test varies. */
export interface RunFixtureOptions {
  /** @default 40 */
  readonly chunks?: number;
  /** @default "document <number modulo 10>.md" */
  readonly document?: (row: number) => string;
  /** @default "text <number>" */
  readonly text?: (row: number) => string;
  /** Whether chunks tell their tokens. @default true */
  readonly withTokens?: boolean;
  /** Numbers of a chunk's vector. @default five waves of its row */
  readonly vector?: (row: number) => readonly number[];
  /** Laid over the manifest. @default nothing */
  readonly manifest?: Readonly<Record<string, unknown>>;
  /** @default "docs" */
  readonly collection?: string;
}

const dimension = 5;
const fused = { ranking: "fused", hitAt1: 0.9, hitAt10: 1, mrrAt10: 0.95 };
const hash = "ab".repeat(32);

const lease = (kind: string, model: string, atMs: number, more: object = {}): object => ({
  kind,
  leaseId: `lease-${model}`,
  stage: model === "splade" ? "sparse" : "dense",
  model,
  device: "simulated:0",
  bytes: 500e6,
  atMs,
  ...more,
});

const work = (stage: string, model: string, start: number, end: number | null, done: readonly number[]): object => ({
  stage,
  model,
  unit: "chunks",
  items: Math.max(...done),
  start_seconds: start,
  end_seconds: end,
  done,
});

function manifestOf(chunkCount: number, collection: string): Record<string, unknown> {
  const names = artifactNames("docs");
  return {
    schema_version: "v4.1",
    generated_at: "2026-01-02T03:04:05.000Z",
    collection,
    chunk_count: chunkCount,
    feature_toggles: {
      provenance: [
        { key: "input", value: ["docs"], layer: "cli", source: "--input" },
        { key: "rrf_k", value: 60, layer: "default", source: "default" },
      ],
    },
    dense_run: { total_embeddings_generated: chunkCount, batches_per_model: { bge: 20 } },
    telemetry: {
      metrics: { dense: { status: "emitted", values: [{ name: "rag_batch_size", labels: {}, count: 4, sum: 40 }] } },
    },
    performance_baseline: {
      devices: [{ device: "simulated:0", kind: "simulated", leases: 2, peak_bytes: 4e8, cap_bytes: 12e9 }],
      batch_resizes: [{ stage: "dense", model: "bge", cause: "out_of_memory", from_tokens: 4096, to_tokens: 2048 }],
    },
    run_id: "run-1",
    trace_id: "trace-1",
    versions: { ragline: "0.1.0", node: "20.20.2", runtime: "onnxruntime" },
    config: { sha256: hash, values: { rrfK: 60 } },
    inputs: [{ path: "document 0.md", bytes: 1000, sha256: hash, chunks: 4 }],
    skipped_inputs: [{ path: "image.png", reason: "unsupported", message: "image.png is of a kind that is not read" }],
    coverage: { characters: 100, core: 80, blank: 15, characters_by_reason: { core: 80, blank: 15, oversized: 5 } },
    models: [
      { stage: "dense", name: "bge", license: "MIT", files: [{ name: "model.onnx", bytes: 5, sha256: hash }] },
      { stage: "sparse", name: "splade", files: [] },
    ],
    fusion: { method: "zscore" },
    outcomes: [
      { stage: "dense", reason: "text_truncated", source: "runtime", detail: "2 texts were cut", degraded: true },
    ],
    warnings: ["2 texts were cut", "another warning"],
    stages: {
      chunk: { seconds: 1.5, start_seconds: 0, end_seconds: 1.5 },
      dense: { seconds: 20, start_seconds: 0.5, end_seconds: 20.5 },
      fusion: { seconds: 0.01, start_seconds: 20.5, end_seconds: 20.51 },
    },
    timeline: {
      started_at: "2026-01-02T03:04:00.000Z",
      period_seconds: 5,
      at_seconds: [5, 10, 15, 20],
      work: [
        work("dense", "bge", 0.5, 15, [0, 20, 40, 40]),
        work("sparse", "splade", 16, 20, [0, 0, 0, 30]),
        work("export", "", 20, null, [0, 0, 0, 0]),
      ],
      memory: [
        { name: "orchestrator", bytes: [1e8, 2e8, 2e8, 1.5e8] },
        { name: "simulated:0 in use", bytes: [3e8, 4e8, 4e8, 0] },
      ],
    },
    anomalies: [
      {
        kind: "hub",
        model: "fused",
        count: 1,
        detail: "1 of 40 chunks among the first 10",
        examples: [{ row: 7, id: "id-7", document: "document 7.md" }],
      },
    ],
    leases: [
      lease("granted", "bge", 1000, { waitMs: 250 }),
      lease("released", "bge", 9000, { peakBytes: 400e6 }),
      lease("granted", "splade", 9500),
    ],
    evaluation: {
      kind: "self-audit",
      queries: 50,
      rankings: [{ ...fused, queries: 50, intervals: { mrrAt10: [0.91, 0.98] } }],
      strata: [
        { by: "kind", value: "heading", queries: 30, rankings: [{ ...fused, queries: 30 }] },
        { by: "content_type", value: "table_section", queries: 20, rankings: [{ ...fused, queries: 20 }] },
        { by: "document", value: "document 1.md", queries: 2, rankings: [{ ...fused, queries: 2, hitAt10: 0.5 }] },
      ],
      near_duplicates: { similarity: 0.8, queries: 3, chunks: 4 },
      sections: { queries: 2, chunks: 7 },
      per_query: [
        { kind: "heading", query: { sha256: "sha256:aa", length: 9 }, row: 4, document: "a.md", ranks: { fused: 1 } },
        {
          kind: "sentence",
          query: { sha256: "sha256:bb", length: 9 },
          row: 2,
          document: "b.md",
          ranks: { fused: null },
        },
      ],
    },
    outputs: [
      { name: names.embeddings, bytes: 1, sha256: hash },
      { name: names.stats, bytes: 1, sha256: hash },
      { name: names.qdrant, bytes: 1, sha256: hash },
    ],
  };
}

/** A finished run on disk, with those files that a report is drawn from. */
export async function makeRun(
  options: RunFixtureOptions = {},
): Promise<{ readonly dir: string; remove: () => Promise<void> }> {
  const { chunks = 40, withTokens = true, collection = "docs" } = options;
  const document = options.document ?? ((row) => `document ${row % 10}.md`);
  const text = options.text ?? ((row) => `text ${row}`);
  const vector = options.vector ?? ((row) => Array.from({ length: dimension }, (_, i) => Math.sin(row * (i + 1) + i)));
  const dir = await mkdtemp(join(tmpdir(), "ragline-report-"));
  const names = artifactNames("docs");
  const rows = Array.from({ length: chunks }, (_, row) => row);
  const lines = rows.map((row) => {
    const metadata = { relative_path: document(row), ...(withTokens ? { token_count: 20 + (row % 90) } : {}) };
    const payload = { ...metadata, text: text(row), full_text_length: text(row).length };
    return `${JSON.stringify({ id: pointId("docs", String(row)), vector: {}, payload })}\n`;
  });
  const spread = { min: 1, max: 1, mean: 1 };
  const stats = {
    collection,
    chunk_count: chunks,
    text_characters: { ...spread, total: chunks },
    dense: [{ name: "bge", hugging_face_id: "b/bge", dimension, embeddings: names.embeddings, norm: spread }],
  };
  const values = Float32Array.from(rows.flatMap((row) => [...vector(row)]));
  await writeFile(join(dir, names.qdrant), lines.join(""));
  await writeFile(join(dir, names.stats), JSON.stringify(stats));
  await writeFile(
    join(dir, names.embeddings),
    Buffer.concat([npyHeader(chunks, dimension), new Uint8Array(values.buffer)]),
  );
  const manifest = { ...manifestOf(chunks, collection), ...options.manifest };
  await writeFile(join(dir, MANIFEST_NAME), sealManifest(manifest));
  return { dir, remove: () => rm(dir, { recursive: true, force: true }) };
}
