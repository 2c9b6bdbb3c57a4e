/** A process that keeps metrics. */
export type MetricService = "orchestrator" | "lease-broker" | "dense" | "sparse" | "rerank" | "export";

/** One metric of Ragline: what a dashboard or a rule may ask for. */
export interface MetricDefinition {
  /** Without the namespace: "batch_size" is served as "rag_batch_size" by default. */
  readonly name: string;
  readonly type: "counter" | "gauge" | "histogram";
  /** One sentence: what is counted, in which unit. */
  readonly help: string;
  /** Names of its labels. Values are few and known beforehand: never an id, a path or a text. */
  readonly labels: readonly string[];
  /** Upper bounds of a histogram's buckets, in the metric's unit. */
  readonly buckets?: readonly number[];
  /** How the values of several processes become one. @default "sum" */
  readonly aggregator?: "sum" | "max" | "min";
  /** Series that are there from the start, at 0, so that a rate sees their first event. `stage` is that of the service unless it is given. @default one for each service where `stage` is the only label */
  readonly startsWith?: readonly Readonly<Record<string, string>>[];
  /** The processes that serve it. */
  readonly services: readonly MetricService[];
}

const modelStages = ["dense", "sparse", "rerank"] as const;
const stages = [...modelStages, "export"] as const;
const MiB = 1024 ** 2;

// A batch of 16 texts takes 10 ms for word statistics and seconds for a large model on a busy CPU; a query's 100
// candidates take as long. Past a minute only the order of magnitude matters.
const batchSeconds = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120];
// From a few chunks to a corpus of a million.
const exportSeconds = [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1800];
// A free device is granted within milliseconds; one that is busy, when a model is through with a corpus.
const leaseWaitSeconds = [0.005, 0.05, 0.25, 1, 5, 15, 30, 60, 120, 300, 600];

/**
 * Every metric of Ragline, by a short key. The names are those that users' rules and dashboards rely on; metrics of the
 * process itself (`process_*`, `nodejs_*`, event loop included) are prom-client's own and stand beside these.
 */
export const metricCatalogue = {
  denseLatency: {
    name: "dense_latency_seconds",
    type: "histogram",
    help: "Seconds from the arrival of a batch of texts at the dense stage to its vectors.",
    labels: [],
    buckets: batchSeconds,
    services: ["dense"],
  },
  sparseLatency: {
    name: "sparse_latency_seconds",
    type: "histogram",
    help: "Seconds from the arrival of a batch of texts at the sparse stage to its vectors.",
    labels: [],
    buckets: batchSeconds,
    services: ["sparse"],
  },
  rerankLatency: {
    name: "rerank_latency_seconds",
    type: "histogram",
    help: "Seconds from the arrival of a query's candidates at the rerank stage to their scores.",
    labels: [],
    buckets: batchSeconds,
    services: ["rerank"],
  },
  exportLatency: {
    name: "export_latency_seconds",
    type: "histogram",
    help: "Seconds from the start of a collection's export to its files being in place.",
    labels: [],
    buckets: exportSeconds,
    services: ["export"],
  },
  batchSize: {
    name: "batch_size",
    type: "histogram",
    help: "Items in one call of a model.",
    labels: ["stage"],
    buckets: [1, 2, 4, 8, 16, 32, 64, 128, 256],
    services: modelStages,
  },
  batchTokens: {
    name: "batch_tokens",
    type: "histogram",
    help: "Padded tokens in one call of a model.",
    labels: ["stage"],
    buckets: [16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192, 16_384, 32_768, 65_536],
    services: modelStages,
  },
  batchResizes: {
    name: "batch_resize_total",
    type: "counter",
    help: "Changes of how many tokens a call of a model may have, up or down.",
    labels: ["stage", "direction"],
    startsWith: [{ direction: "up" }, { direction: "down" }],
    services: modelStages,
  },
  outOfMemory: {
    name: "oom_total",
    type: "counter",
    help: "Calls of a model that ran out of memory and were done again, smaller.",
    labels: ["stage"],
    services: modelStages,
  },
  queueDepth: {
    name: "queue_depth",
    type: "gauge",
    help: "Batches that wait or are computed now.",
    labels: ["stage"],
    services: modelStages,
  },
  queueRefusals: {
    name: "queue_refusals_total",
    type: "counter",
    help: "Batches that were refused because the queue was full.",
    labels: ["stage"],
    services: modelStages,
  },
  workersLost: {
    name: "workers_lost_total",
    type: "counter",
    help: "Worker processes that died and were replaced.",
    labels: ["stage"],
    services: modelStages,
  },
  gpuPeakBytes: {
    name: "gpu_peak_bytes",
    type: "gauge",
    help: "Most bytes that the stage's workers used on a device within the last minute, CPU memory on a CPU.",
    labels: ["stage", "device"],
    aggregator: "max",
    services: modelStages,
  },
  gpuCapBytes: {
    name: "gpu_cap_bytes",
    type: "gauge",
    help: "Most bytes that all leases on a device may have together.",
    labels: ["device"],
    aggregator: "max",
    services: ["orchestrator", "lease-broker", ...modelStages],
  },
  gpuLeaseBytes: {
    name: "gpu_lease_bytes",
    type: "gauge",
    help: "Bytes that the stage's leases on a device have now.",
    labels: ["stage", "device"],
    services: modelStages,
  },
  gpuLeaseWait: {
    name: "gpu_lease_wait_seconds",
    type: "histogram",
    help: "Seconds that a model waited for its lease, granted or given up.",
    labels: ["stage"],
    buckets: leaseWaitSeconds,
    services: modelStages,
  },
  leasesLost: {
    name: "leases_lost_total",
    type: "counter",
    help: "Leases that were revoked or whose broker was lost.",
    labels: ["stage"],
    services: modelStages,
  },
  chunks: {
    name: "chunks_total",
    type: "counter",
    help: "Items by stage and how they ended: ok, truncated, failed or skipped.",
    labels: ["stage", "outcome"],
    services: ["orchestrator", ...stages],
  },
  exportSize: {
    name: "export_size_bytes",
    type: "histogram",
    help: "Bytes of all files of one collection's export.",
    labels: [],
    buckets: [MiB / 16, MiB, 16 * MiB, 64 * MiB, 256 * MiB, 1024 * MiB, 4096 * MiB, 16_384 * MiB, 65_536 * MiB],
    services: ["export"],
  },
  candidates: {
    name: "candidate_count",
    type: "histogram",
    help: "Candidates of one query after a stage.",
    labels: ["stage"],
    buckets: [0, 1, 5, 10, 20, 50, 100, 200, 500, 1000],
    services: ["orchestrator"],
  },
  sparseCoverage: {
    name: "sparse_coverage_ratio",
    type: "gauge",
    help: "Share of a collection's chunks that have a vector of a sparse model, in the latest run.",
    labels: ["model"],
    aggregator: "min",
    services: ["orchestrator"],
  },
  fallbacks: {
    name: "fallback_total",
    type: "counter",
    help: "Degradations of runs by stage, reason and who decided.",
    labels: ["stage", "reason", "source"],
    startsWith: [
      { stage: "chunk", reason: "input_skipped", source: "runtime" },
      { stage: "dense", reason: "out_of_memory", source: "runtime" },
      { stage: "sparse", reason: "out_of_memory", source: "runtime" },
      { stage: "sparse", reason: "metadata_fallback", source: "runtime" },
      { stage: "rerank", reason: "out_of_memory", source: "runtime" },
      { stage: "rerank", reason: "execution_failed", source: "runtime" },
      { stage: "rerank", reason: "executor_unavailable", source: "runtime" },
      { stage: "rerank", reason: "timeout", source: "runtime" },
    ],
    services: ["orchestrator"],
  },
  rerankFallbacks: {
    name: "rerank_fallback_total",
    type: "counter",
    help: "Degradations of the rerank stage: queries kept their fused order, or some candidates have no score.",
    labels: [],
    services: ["orchestrator"],
  },
  spansDropped: {
    name: "spans_dropped_total",
    type: "counter",
    help: "Spans that were made and not kept or not sent, by reason.",
    labels: ["reason"],
    startsWith: [{ reason: "limit" }, { reason: "export" }],
    services: ["orchestrator", "lease-broker", ...stages],
  },
} as const satisfies Readonly<Record<string, MetricDefinition>>;

/** Short key of a metric. */
export type MetricKey = keyof typeof metricCatalogue;

/** Full name of a metric. */
export function metricName(key: MetricKey, namespace = "rag"): string {
  return `${namespace}_${metricCatalogue[key].name}`;
}
