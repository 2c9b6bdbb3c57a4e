import { sha256Of } from "@ragline/artifacts";
import type { SettingProvenance } from "@ragline/config";
import { type ExportedFile, type Outcome, OutcomeReason, OutcomeSource, Stage } from "@ragline/contracts";
import type { LeaseEvent } from "@ragline/gpu-lease";
import type { MetricSnapshot } from "@ragline/telemetry";
import type { RunSettings } from "../run-settings.js";
import { anomalyRecords, evaluationRecord } from "./audit-record.js";
import type { CollectionResult } from "./collection-result.js";
import {
  allLeaseEvents,
  deviceRecords,
  deviceRows,
  gpuBaseline,
  memoryRecord,
  resizeRecords,
  stageRuns,
} from "./device-report.js";
import { enumName } from "./enum-name.js";
import { describeFusion, fusionSettings, plannedLists } from "./fusion-settings.js";
import { manifestMetrics } from "./manifest-metrics.js";
import { precisionName } from "./precision-name.js";
import { describeQuery } from "./run-queries.js";
import type { RunTimeline } from "./run-timeline.js";

/** What a manifest says beside what the stages made. */
export interface ManifestFacts {
  readonly runId: string;
  readonly traceId: string;
  readonly version: string;
  readonly settings: RunSettings;
  readonly provenance: readonly SettingProvenance[];
  readonly leaseEvents: readonly LeaseEvent[];
  /** What did not go as asked in this collection. */
  readonly outcomes: readonly Outcome[];
  readonly generatedAt: Date;
  /** What all processes have counted; empty when no metrics are kept. */
  readonly metrics: MetricSnapshot;
  readonly timeline: Pick<RunTimeline, "record" | "secondsOf">;
}

const gigabytes = (bytes: bigint | number): number => Number(bytes) / 1e9;

function featureToggles({ settings, provenance }: ManifestFacts): object {
  const sourceOf = (key: string): string | undefined => provenance.find((entry) => entry.key === key)?.layer;
  return {
    enable_rerank: settings.enableRerank,
    enable_sparse: settings.enableSparse,
    sparse_models: settings.sparseModels,
    sources: {
      enable_rerank: sourceOf("enable_rerank"),
      enable_sparse: sourceOf("enable_sparse"),
      sparse_models: sourceOf("sparse_models"),
    },
    provenance,
    provenance_lines: provenance.map(
      ({ key, value, layer, source }) =>
        `${layer}: ${key}=${JSON.stringify(value)}${source === layer ? "" : ` (${source})`}`,
    ),
  };
}

function denseRun({ dense, collected, seconds }: CollectionResult, { leaseEvents }: ManifestFacts): object {
  const [primary] = dense;
  const embeddings = collected.chunks.count * dense.length;
  return {
    total_embeddings_generated: embeddings,
    embedding_dimension: primary?.dimension ?? 0,
    processing_time_seconds: seconds.dense,
    chunks_per_second: seconds.dense > 0 ? embeddings / seconds.dense : 0,
    models_executed: dense.map(({ model }) => model),
    lease_events: leaseEvents.filter(({ stage }) => stage === "dense"),
    batches_per_model: Object.fromEntries(dense.map(({ model, run }) => [model, Number(run.summary.batches)])),
    device: primary?.run.ready.device ?? "",
    batch_size:
      primary && primary.run.summary.batches > 0n
        ? Number(primary.run.summary.items) / Number(primary.run.summary.batches)
        : 0,
    backend: primary?.run.ready.runtime ?? "",
    precision: Object.fromEntries(dense.map(({ model, run }) => [model, precisionName(run.ready.precision)])),
    gpu_count: deviceRows(dense.map(({ run }) => ({ stage: "dense", run }))).filter(({ kind }) => kind !== "cpu")
      .length,
    memory: Object.fromEntries(dense.map(({ model, run }) => [model, memoryRecord(run)])),
  };
}

function sparseRun(result: CollectionResult, facts: ManifestFacts): object | null {
  const { sparse, collected, planned, seconds } = result;
  const { outcomes, leaseEvents } = facts;
  if (!facts.settings.enableSparse) return null;
  const failures = outcomes.filter(({ stage, degraded }) => stage === Stage.SPARSE && degraded);
  const total = collected.chunks.count;
  const available = sparse[0]?.available ?? 0;
  return {
    run_id: facts.runId,
    enabled: true,
    executed: sparse.some(({ run }) => run !== undefined),
    sparse_model: sparse[0]?.model,
    model_names: sparse.map(({ model }) => model),
    models: sparse.map(({ model, available: withVector, averageLength, run }) => ({
      name: model,
      vectors: { total, available: withVector, coverage_ratio: total > 0 ? withVector / total : 0 },
      live: run !== undefined,
      ...(run ? { batches: Number(run.summary.batches), memory: memoryRecord(run) } : {}),
      ...(averageLength === undefined ? {} : { average_length: averageLength }),
    })),
    vectors: { total, available, coverage_ratio: total > 0 ? available / total : 0 },
    lease_events: leaseEvents.filter(({ stage }) => stage === "sparse"),
    devices: Object.fromEntries(sparse.map(({ model, run }) => [model, run?.ready.device ?? "cpu:0"])),
    query_sparse_vector: querySparseVector(result, facts),
    document_sparse_vectors: `${planned.prefix}_sparse.jsonl`,
    latency_ms: seconds.sparse * 1000,
    fallback_used: failures.length > 0,
    fallback_count: failures.length,
    ...(failures[0] ? { fallback_reason: enumName(OutcomeReason, failures[0].reason) } : {}),
  };
}

/** The first query's sparse vector: it spells the query's words, so it is kept only where queries may be. */
function querySparseVector({ sparse }: CollectionResult, { settings }: ManifestFacts): object | null {
  const vector = sparse[0]?.queries[0];
  return settings.storeQueries && vector ? { indices: [...vector.indices], values: [...vector.values] } : null;
}

function rerankRun(result: CollectionResult, facts: ManifestFacts): object | null {
  const { rerank, queries } = result;
  if (rerank.status === "disabled") return null;
  const { rerankTopK: topK } = facts.settings;
  const fallback = facts.outcomes.find(
    ({ stage, reason, degraded }) => stage === Stage.RERANK && reason === OutcomeReason.DEVICE_UNAVAILABLE && degraded,
  );
  const { forceCpu, device: devices } = facts.settings;
  const base = {
    run_id: facts.runId,
    enabled: true,
    model_name: rerank.model,
    device_state: {
      requested: forceCpu ? "cpu" : devices.join(" "),
      resolved: rerank.status === "executed" ? rerank.result.run.ready.device : "none",
      fallback_applied: fallback !== undefined,
      ...(fallback ? { fallback_reason: enumName(OutcomeReason, fallback.reason) } : {}),
    },
  };
  if (rerank.status !== "executed") {
    const { reason, source } = rerank.outcome;
    return {
      ...base,
      executed: false,
      status: rerank.status === "error" ? "error" : "pending",
      query: null,
      candidate_ids: [],
      scores: [],
      fallback_count: 1,
      fallback_reason: enumName(OutcomeReason, reason),
      fallback_source: enumName(OutcomeSource, source),
      payload: null,
    };
  }
  const { result: reranked, depth, firstIds } = rerank;
  const first = reranked.candidates[0]?.slice(0, topK) ?? [];
  const latencyMs =
    reranked.latencySeconds.reduce((sum, seconds) => sum + seconds * 1000, 0) /
    Math.max(1, reranked.latencySeconds.length);
  const gpuPeaks = reranked.run.summary.devices.flatMap(({ kind, peakBytes }) =>
    kind === "cpu" ? [] : Number(peakBytes),
  );
  const figures = {
    query: queries[0] ? describeQuery(queries[0].text, facts.settings) : null,
    candidate_ids: firstIds,
    scores: first.map(({ rerankScore }) => rerankScore ?? null),
  };
  return {
    ...base,
    executed: true,
    status: "executed",
    ...figures,
    batch_size: depth,
    latency_ms: latencyMs,
    gpu_peak_gb: gigabytes(Math.max(0, ...gpuPeaks)),
    lease_events: facts.leaseEvents.filter(({ stage }) => stage === "rerank"),
    memory: memoryRecord(reranked.run),
    queries: queries.length,
    mix: facts.settings.rerankMix,
    mix_form: "share",
    fallback_count: 0,
    metrics: { top_k_candidates: depth, rerank_top_k: topK, batch_size: depth },
    payload: { run_id: facts.runId, latency_ms: latencyMs, top_k_candidates: depth, rerank_top_k: topK, ...figures },
  };
}

/** Where the documents' characters and bytes went; the first four keys are of characters. */
function coverageOf({ ledger }: CollectionResult["collected"]): object | null {
  if (ledger === undefined) return null;
  const { characters, characterCounts, bytes, byteCounts } = ledger;
  const { core = 0, blank = 0 } = characterCounts;
  const skipped = characters - core - blank;
  return {
    characters,
    core,
    blank,
    skipped,
    bytes,
    bytes_by_reason: byteCounts,
    characters_by_reason: characterCounts,
  };
}

function telemetry(result: CollectionResult, facts: ManifestFacts): object {
  const { settings, traceId, leaseEvents } = facts;
  const { spanIds } = result;
  const runs = stageRuns(result);
  const off: Record<string, boolean> = { sparse: !settings.enableSparse, rerank: result.rerank.status === "disabled" };
  const stages = ["chunk", "dense", "sparse", "fusion", "rerank", "export"];
  const disabled = { status: "skipped", reason: "feature_disabled" };
  const metricsOf = manifestMetrics(facts.metrics, settings.metricsNamespace);
  const notKept = { status: "skipped", reason: settings.metricsEnabled ? "not_told" : "metrics_disabled", metrics: [] };
  return {
    lease_events_recorded: leaseEvents.length,
    batch_progress_events_recorded: runs.reduce((sum, { run }) => sum + Number(run.summary.batches), 0),
    spans: Object.fromEntries(
      stages.map((stage) => [
        `rag.${stage}`,
        off[stage] ? disabled : { span_id: spanIds[stage] ?? null, trace_id: traceId, status: "active" },
      ]),
    ),
    metrics: Object.fromEntries(
      stages.map((stage) => [stage, off[stage] ? { ...disabled, metrics: [] } : (metricsOf.get(stage) ?? notKept)]),
    ),
  };
}

/** Seconds of each stage, and when it worked on the timeline; of the export until all other files were staged. */
function stageTimes({ seconds, times }: CollectionResult, { timeline }: ManifestFacts): object {
  const spans = Object.entries(times).map(([stage, { startedAt, endedAt }]) => [
    stage,
    {
      seconds: (endedAt - startedAt) / 1000,
      start_seconds: timeline.secondsOf(startedAt),
      end_seconds: timeline.secondsOf(endedAt),
    },
  ]);
  const idle = Object.keys(seconds).map((stage) => [stage, { seconds: 0 }]);
  return Object.fromEntries([...idle, ...spans]);
}

/** The manifest, `processing_summary.json` v4.1: what the run was asked, did and made. Holds no text of queries or chunks. */
export function buildManifest(result: CollectionResult, given: ManifestFacts, files: readonly ExportedFile[]): object {
  const runs = stageRuns(result);
  const devices = deviceRows(runs);
  const facts: ManifestFacts = { ...given, leaseEvents: allLeaseEvents(runs, given.leaseEvents) };
  const { planned, collected, dense, seconds, audit } = result;
  const peakBytes = runs.reduce((most, { run }) => Math.max(most, Number(run.summary.peakBytes)), 0);
  const { settings, leaseEvents, outcomes } = facts;
  return {
    schema_version: "v4.1",
    generated_at: facts.generatedAt.toISOString(),
    collection: planned.name,
    chunk_count: collected.chunks.count,
    feature_toggles: featureToggles(facts),
    dense_run: denseRun(result, facts),
    sparse_run: sparseRun(result, facts),
    rerank_run: rerankRun(result, facts),
    ensemble_state: {
      mode: settings.exclusiveEnsemble ? "exclusive" : "parallel",
      order: dense.map(({ model }) => model),
      primary: dense[0]?.model,
    },
    telemetry: telemetry(result, facts),
    performance_baseline: {
      latency_seconds: Object.values(seconds).reduce((sum, value) => sum + value, 0),
      gpu: gpuBaseline(devices),
      devices: deviceRecords(devices),
      batch_resizes: resizeRecords(runs),
      system: { peak_memory_gb: gigabytes(peakBytes) },
      hydration: Object.fromEntries(runs.map(({ run }) => [run.ready.model, run.ready.hydrateSeconds])),
    },
    compatibility: { current: "v4.1", legacy: ["v4.0"], warnings: [] },
    warnings: outcomes.map(({ detail }) => detail),
    run_id: facts.runId,
    trace_id: facts.traceId,
    versions: { ragline: facts.version, node: process.versions.node, runtime: dense[0]?.run.ready.runtime ?? "" },
    config: { sha256: sha256Of(JSON.stringify(facts.settings)), values: facts.settings },
    inputs: collected.inputs,
    skipped_inputs: collected.skipped,
    coverage: coverageOf(collected),
    models: runs.map(({ stage, run: { ready } }) => ({
      stage,
      name: ready.model,
      hugging_face_id: ready.huggingFaceId,
      license: ready.license,
      precision: precisionName(ready.precision),
      files: ready.files.map(({ name, bytes, sha256 }) => ({ name, bytes: Number(bytes), sha256 })),
    })),
    fusion: describeFusion(fusionSettings(settings), plannedLists(settings)),
    outcomes: outcomes.map(({ stage, reason, source, model, detail, count, degraded }) => ({
      stage: enumName(Stage, stage),
      reason: enumName(OutcomeReason, reason),
      source: enumName(OutcomeSource, source),
      model,
      detail,
      count: Number(count),
      degraded,
    })),
    stages: stageTimes(result, facts),
    timeline: facts.timeline.record(),
    leases: leaseEvents,
    evaluation: audit.selfAudit ? evaluationRecord(audit.selfAudit, settings) : null,
    anomalies: anomalyRecords(audit.anomalies),
    outputs: files.map(({ name, bytes, sha256 }) => ({ name, bytes: Number(bytes), sha256 })),
  };
}
