import { createWriteStream } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { artifactNames, MANIFEST_NAME, npyHeader, pointId, sealManifest, sha256Of } from "@ragline/artifacts";
import { writeReport } from "@ragline/report";

const dimension = 384;
const models = ["bge-small-en-v1.5", "all-miniLM-l6"];
const names = artifactNames("sample");
const hash = sha256Of("sample");
const documentOf = (row: number): string => `guide/part-${row % 97}/chapter-${row % 13}.md`;
const textOf = (row: number): string =>
  `Chapter ${row % 13}, paragraph ${row}: how a lease is queued and granted again. `.repeat(4);

/** The page of a run that is made up, with something in every section. */
export interface SampleReport {
  readonly path: string;
  /** How long it took to draw. */
  readonly drawMs: number;
  remove(): Promise<void>;
}

function* points(chunks: number): Generator<string> {
  for (let row = 0; row < chunks; row++) {
    const text = textOf(row);
    const payload = {
      relative_path: documentOf(row),
      token_count: 40 + (row % 230),
      text,
      full_text_length: text.length,
    };
    yield `${JSON.stringify({ id: pointId("sample", String(row)), vector: {}, payload })}\n`;
  }
}

function* matrix(chunks: number): Generator<Uint8Array> {
  yield npyHeader(chunks, dimension);
  for (let row = 0; row < chunks; row++) {
    const vector = Float32Array.from(
      { length: dimension },
      (_, i) => Math.sin((row % 97) + i) + Math.sin(row * (i + 1)) / 3,
    );
    yield new Uint8Array(vector.buffer);
  }
}

const interval = (value: number): [number, number] => [Math.max(0, value - 0.1), Math.min(1, value + 0.08)];

const figures = (ranking: string, queries: number, value: number): object => ({
  ranking,
  queries,
  hitAt1: value,
  hitAt10: Math.min(1, value + 0.2),
  mrrAt10: value + 0.05,
  intervals: { hitAt1: interval(value), hitAt10: interval(value + 0.2), mrrAt10: interval(value + 0.05) },
});

const rankings = [...models, "splade-tiny", "qdrant-bm25", "fused", "reranked"];

function evaluation(documents: number): object {
  const parts = [
    ["kind", "heading"],
    ["kind", "sentence"],
    ["content_type", "prose_section"],
    ["content_type", "table_section"],
  ];
  return {
    kind: "self-audit",
    queries: 64,
    rankings: rankings.map((ranking, i) => figures(ranking, 64, 0.5 + i / 20)),
    strata: [
      ...parts.map(([by, value], i) => ({
        by,
        value,
        queries: 16 + i,
        rankings: rankings.map((ranking) => figures(ranking, 16 + i, 0.6 + i / 20)),
      })),
      ...Array.from({ length: documents }, (_, i) => ({
        by: "document",
        value: documentOf(i),
        queries: 2,
        rankings: [figures("reranked", 2, 0.5)],
      })),
    ],
    near_duplicates: { similarity: 0.8, queries: 3, chunks: 5 },
    sections: { queries: 2, chunks: 7 },
  };
}

function timeline(samples: number): object {
  const at = Array.from({ length: samples }, (_, i) => ((i + 1) * 240) / samples);
  const work = (stage: string, model: string, start: number, end: number, items: number) => ({
    stage,
    model,
    unit: stage === "rerank" ? "pairs" : "chunks",
    items,
    start_seconds: start,
    end_seconds: end,
    done: at.map((time) => Math.round(items * Math.max(0, Math.min(1, (time - start) / (end - start))))),
  });
  return {
    started_at: "2026-01-02T03:04:05.000Z",
    period_seconds: 240 / samples,
    at_seconds: at,
    work: [
      work("dense", "bge-small-en-v1.5", 4, 90, 4000),
      work("dense", "all-miniLM-l6", 90, 130, 4000),
      work("sparse", "splade-tiny", 131, 160, 4000),
      work("rerank", "qa-minilm-l6-cross-encoder", 170, 230, 1280),
    ],
    memory: [
      { name: "orchestrator", bytes: at.map((time) => 2e8 + 4e7 * Math.sin(time / 9)) },
      { name: "cpu:0 in use", bytes: at.map((time) => (time < 130 ? 4e8 : 2.5e8)) },
      { name: "cpu:0 leased", bytes: at.map((time) => (time < 130 ? 5e8 : 3e8)) },
    ],
  };
}

function leases(): object[] {
  const start = Date.parse("2026-01-02T03:04:05.000Z");
  return models.flatMap((model, i) => {
    const lease = { leaseId: `lease-${i}`, stage: "dense", model, device: "cpu:0", bytes: 5e8 };
    return [
      { ...lease, kind: "granted", atMs: start + i * 60_000, waitMs: 30 },
      { ...lease, kind: "released", atMs: start + i * 60_000 + 55_000, peakBytes: 4e8 },
    ];
  });
}

function manifest(chunks: number, rows: number): object {
  const stage = (from: number, to: number) => ({ seconds: to - from, start_seconds: from, end_seconds: to });
  const settings = Array.from({ length: rows }, (_, i) => ({
    key: `setting_${i}`,
    value: i % 3 === 0 ? null : `value ${i}`,
    layer: i < 4 ? "cli" : "default",
    source: i < 4 ? `--setting-${i}` : "default",
  }));
  return {
    schema_version: "v4.1",
    generated_at: "2026-01-02T03:08:05.000Z",
    collection: "sample",
    chunk_count: chunks,
    feature_toggles: { provenance: settings },
    dense_run: { total_embeddings_generated: chunks * 2, batches_per_model: { [models[0] as string]: chunks } },
    sparse_run: { model_names: ["splade-tiny", "qdrant-bm25"] },
    rerank_run: { executed: true, queries: 64 },
    telemetry: {
      metrics: {
        dense: { status: "emitted", values: [{ name: "rag_batch_size", labels: {}, count: chunks, sum: 4 * chunks }] },
      },
    },
    performance_baseline: {
      devices: [{ device: "cpu:0", kind: "cpu", leases: 2, peak_bytes: 4e8, cap_bytes: 12e9, granted_bytes: 5e8 }],
      batch_resizes: [{ stage: "dense", model: models[0], cause: "out_of_memory", from_tokens: 4096, to_tokens: 2048 }],
    },
    run_id: "00000000-0000-4000-8000-000000000000",
    trace_id: "0".repeat(32),
    versions: { ragline: "0.1.0", node: process.versions.node, runtime: "onnxruntime" },
    config: { sha256: hash, values: {} },
    inputs: Array.from({ length: rows }, (_, i) => ({
      path: documentOf(i),
      bytes: 1000 + i,
      sha256: hash,
      chunks: 3,
    })),
    skipped_inputs: [{ path: "image.png", reason: "unsupported", message: "image.png is of a kind that is not read" }],
    coverage: { characters: 100, core: 80, blank: 15, characters_by_reason: { core: 80, blank: 15, oversized: 5 } },
    models: models.map((name) => ({
      stage: "dense",
      name,
      license: "MIT",
      precision: "int8",
      files: [{ name: "model.onnx", bytes: 5e7, sha256: hash }],
    })),
    fusion: { method: "zscore", weights: { dense: 2, sparse: 1 } },
    outcomes: [
      {
        stage: "dense",
        reason: "text_truncated",
        source: "runtime",
        model: models[0],
        detail: "2 of 4000 texts have more tokens than it takes",
        count: 2,
        degraded: true,
      },
    ],
    warnings: [],
    stages: {
      chunk: stage(0, 10),
      dense: stage(4, 130),
      sparse: stage(130, 160),
      fusion: stage(160, 170),
      rerank: stage(170, 230),
      audit: stage(230, 231),
      export: stage(231, 240),
    },
    timeline: timeline(rows),
    leases: leases(),
    evaluation: evaluation(rows),
    anomalies: ["hub", "identical_vectors", "truncated_text"].map((kind, i) => ({
      kind,
      model: i === 0 ? "reranked" : models[0],
      count: 3,
      detail: `3 of ${chunks} chunks that stand for the anomaly ${kind}`,
      examples: [0, 1, 2].map((row) => ({ row, id: pointId("sample", String(row)), document: documentOf(row) })),
    })),
    outputs: [names.embeddings, names.stats, names.qdrant].map((name) => ({ name, bytes: 1000, sha256: hash })),
  };
}

/**
 * Makes up a finished run of so many chunks in a temporary directory, and draws its page.
 * @param rows how long tables are that do not depend on the chunks: settings, inputs, samples over time, documents.
 */
export async function drawSampleReport(chunks: number, rows = 120): Promise<SampleReport> {
  const dir = await mkdtemp(join(tmpdir(), "ragline-report-check-"));
  const remove = () => rm(dir, { recursive: true, force: true });
  try {
    const spread = { min: 1, max: 1, mean: 1 };
    const stats = {
      collection: "sample",
      chunk_count: chunks,
      text_characters: { min: 100, max: 400, mean: 280, total: 280 * chunks },
      dense: [
        {
          name: models[0],
          hugging_face_id: "BAAI/bge-small-en-v1.5",
          dimension,
          embeddings: names.embeddings,
          norm: spread,
        },
      ],
    };
    await pipeline(Readable.from(points(chunks)), createWriteStream(join(dir, names.qdrant)));
    await pipeline(Readable.from(matrix(chunks)), createWriteStream(join(dir, names.embeddings)));
    await writeFile(join(dir, names.stats), JSON.stringify(stats));
    await writeFile(join(dir, MANIFEST_NAME), sealManifest(manifest(chunks, rows)));
    const startedAt = performance.now();
    const path = await writeReport(dir, { tokenLimits: { "bge-small-en-v1.5": 512, "all-miniLM-l6": 256 } });
    return { path, drawMs: performance.now() - startedAt, remove };
  } catch (error) {
    await remove();
    throw error;
  }
}
