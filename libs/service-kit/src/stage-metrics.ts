/** What a stage counts and measures. Label values are few: never an id, a path or a text. */
export interface StageMetrics {
  /** `<ns>_<stage>_latency_seconds`: how long one request or batch took. */
  observeLatency(seconds: number): void;
  /** `<ns>_batch_size` and `<ns>_batch_tokens` of one call of the model. */
  observeBatch(items: number, tokens: number): void;
  /** `<ns>_queue_depth`: batches that wait now. */
  setQueueDepth(waiting: number): void;
  /** `<ns>_batch_resize_total{direction}`, and `<ns>_oom_total` where memory ran out: the token budget of calls changed. */
  countResize(cause: string, direction: "up" | "down"): void;
  /** `<ns>_fallback_total{stage,reason,source}`: one degradation, named as in the contract's Outcome. */
  countFallback(reason: string, source: string): void;
  /** `<ns>_chunks_total{stage,outcome}`: items that ended as `outcome`, such as "ok" or "truncated". */
  countChunks(outcome: string, count: number): void;
  /** `<ns>_gpu_peak_bytes{stage,device}`: the most bytes seen in use on a device since the start. */
  recordPeakBytes(device: string, bytes: number): void;
  /** All of them in the text format of Prometheus. */
  text(): Promise<string>;
}

/** Metrics that are kept nowhere. */
export const noMetrics: StageMetrics = {
  observeLatency() {},
  observeBatch() {},
  setQueueDepth() {},
  countResize() {},
  countFallback() {},
  countChunks() {},
  recordPeakBytes() {},
  text: async () => "",
};

const latencyBuckets = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];
const sizeBuckets = [1, 2, 4, 8, 16, 32, 64, 128, 256];
const tokenBuckets = [16, 64, 256, 512, 1024, 2048, 4096, 8192, 16384, 32768];

/**
 * Metrics of one stage in a registry of their own, together with those of the Node process.
 * prom-client is loaded here, on the first call.
 */
export async function createStageMetrics(stage: string, namespace = "rag"): Promise<StageMetrics> {
  const { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } = (await import("prom-client")).default;
  const registry = new Registry();
  const registers = [registry];
  const name = (suffix: string) => `${namespace}_${suffix}`;
  const latency = new Histogram({
    name: name(`${stage.replaceAll("-", "_")}_latency_seconds`),
    help: `Seconds that one request or batch of the ${stage} stage took.`,
    buckets: latencyBuckets,
    registers,
  });
  const batchSize = new Histogram({
    name: name("batch_size"),
    help: "Items in one call of a model.",
    buckets: sizeBuckets,
    registers,
  });
  const batchTokens = new Histogram({
    name: name("batch_tokens"),
    help: "Padded tokens in one call of a model.",
    buckets: tokenBuckets,
    registers,
  });
  const queueDepth = new Gauge({ name: name("queue_depth"), help: "Batches that wait for a worker.", registers });
  const resizes = new Counter({
    name: name("batch_resize_total"),
    help: "Changes of how many tokens a call of a model may have.",
    labelNames: ["direction"],
    registers,
  });
  const outOfMemory = new Counter({
    name: name("oom_total"),
    help: "Calls of a model that ran out of memory.",
    registers,
  });
  const fallbacks = new Counter({
    name: name("fallback_total"),
    help: "Degradations by stage, reason and who decided.",
    labelNames: ["stage", "reason", "source"],
    registers,
  });
  const chunks = new Counter({
    name: name("chunks_total"),
    help: "Items by stage and outcome.",
    labelNames: ["stage", "outcome"],
    registers,
  });
  const peakBytes = new Gauge({
    name: name("gpu_peak_bytes"),
    help: "Most bytes seen in use on a device.",
    labelNames: ["stage", "device"],
    registers,
  });
  collectDefaultMetrics({ register: registry });
  const peaks = new Map<string, number>();
  return {
    observeLatency: (seconds) => latency.observe(seconds),
    observeBatch: (items, tokens) => {
      batchSize.observe(items);
      batchTokens.observe(tokens);
    },
    setQueueDepth: (waiting) => queueDepth.set(waiting),
    countResize: (cause, direction) => {
      resizes.inc({ direction });
      if (cause === "out_of_memory") outOfMemory.inc();
    },
    countFallback: (reason, source) => fallbacks.inc({ stage, reason, source }),
    countChunks: (outcome, count) => chunks.inc({ stage, outcome }, count),
    recordPeakBytes: (device, bytes) => {
      const peak = Math.max(bytes, peaks.get(device) ?? 0);
      peaks.set(device, peak);
      peakBytes.set({ stage, device }, peak);
    },
    text: () => registry.metrics(),
  };
}
