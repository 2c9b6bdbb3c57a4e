import type { MetricKey } from "./metric-catalogue.js";
import type { Metrics } from "./metrics.js";

/** What a stage service counts and measures. Label values are few: never an id, a path or a text. */
export interface StageMetrics {
  /** `<ns>_<stage>_latency_seconds`: how long one request or batch took. */
  observeLatency(seconds: number): void;
  /** `<ns>_batch_size` and `<ns>_batch_tokens` of one call of the model. */
  observeBatch(items: number, tokens: number): void;
  /** `<ns>_queue_depth`: batches that are inside now. */
  setQueueDepth(batches: number): void;
  /** `<ns>_queue_refusals_total`: one batch was refused. */
  countRefusal(): void;
  /** `<ns>_batch_resize_total{direction}`: the token budget of calls changed. */
  countResize(direction: "up" | "down"): void;
  /** `<ns>_oom_total`: a call of a model ran out of memory. */
  countOutOfMemory(): void;
  /** `<ns>_workers_lost_total`: a worker process died. */
  countLostWorker(): void;
  /** `<ns>_chunks_total{stage,outcome}`: items that ended as `outcome`, such as "ok" or "truncated". */
  countChunks(outcome: string, count: number): void;
  /** `<ns>_gpu_peak_bytes{stage,device}`: the most bytes that were in use on a device. */
  recordPeakBytes(device: string, bytes: number): void;
  /** The same, as more or fewer bytes than before: a device may serve several models of a stage. */
  addUsedBytes(device: string, delta: number): void;
  /** `<ns>_gpu_lease_bytes{stage,device}`: how many bytes more or fewer the stage's leases on a device have. */
  addLeaseBytes(device: string, delta: number): void;
  /** `<ns>_gpu_lease_wait_seconds{stage}`: how long a lease was waited for. */
  observeLeaseWait(seconds: number): void;
  /** `<ns>_leases_lost_total{stage}`: a lease was revoked or its broker lost. */
  countLostLease(): void;
  /** `<ns>_export_size_bytes`: all files of an export. */
  observeExportSize(bytes: number): void;
}

const latencyKeys: Readonly<Record<string, MetricKey>> = {
  dense: "denseLatency",
  sparse: "sparseLatency",
  rerank: "rerankLatency",
  export: "exportLatency",
};

/** The metrics of one stage. */
export function stageMetrics(metrics: Metrics, stage: string): StageMetrics {
  const latency = latencyKeys[stage];
  return {
    observeLatency: (seconds) => latency && metrics.observe(latency, {}, seconds),
    observeBatch: (items, tokens) => {
      metrics.observe("batchSize", { stage }, items);
      metrics.observe("batchTokens", { stage }, tokens);
    },
    setQueueDepth: (batches) => metrics.set("queueDepth", { stage }, batches),
    countRefusal: () => metrics.count("queueRefusals", { stage }),
    countResize: (direction) => metrics.count("batchResizes", { stage, direction }),
    countOutOfMemory: () => metrics.count("outOfMemory", { stage }),
    countLostWorker: () => metrics.count("workersLost", { stage }),
    countChunks: (outcome, count) => metrics.count("chunks", { stage, outcome }, count),
    recordPeakBytes: (device, bytes) => metrics.notePeak("gpuPeakBytes", { stage, device }, bytes),
    addUsedBytes: (device, delta) => metrics.add("gpuPeakBytes", { stage, device }, delta),
    addLeaseBytes: (device, delta) => metrics.add("gpuLeaseBytes", { stage, device }, delta),
    observeLeaseWait: (seconds) => metrics.observe("gpuLeaseWait", { stage }, seconds),
    countLostLease: () => metrics.count("leasesLost", { stage }),
    observeExportSize: (bytes) => metrics.observe("exportSize", {}, bytes),
  };
}

/** Metrics that are kept nowhere. */
export const noMetrics: StageMetrics = {
  observeLatency() {},
  observeBatch() {},
  setQueueDepth() {},
  countRefusal() {},
  countResize() {},
  countOutOfMemory() {},
  countLostWorker() {},
  countChunks() {},
  recordPeakBytes() {},
  addUsedBytes() {},
  addLeaseBytes() {},
  observeLeaseWait() {},
  countLostLease() {},
  observeExportSize() {},
};
