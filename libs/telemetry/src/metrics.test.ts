import { context, TraceFlags, trace } from "@opentelemetry/api";
import { AsyncLocalStorageContextManager } from "@opentelemetry/context-async-hooks";
import { expect, test } from "vitest";
import { metricCatalogue, metricName } from "./metric-catalogue.js";
import { expositionOf, mergeSnapshots, subtractSnapshot } from "./metric-snapshot.js";
import { Metrics } from "./metrics.js";
import { RollingPeak } from "./rolling-peak.js";
import { runMetrics } from "./run-metrics.js";
import { stageMetrics } from "./stage-metrics.js";

async function openMetrics(service: "dense" | "rerank" | "orchestrator", namespace = "rag"): Promise<Metrics> {
  const metrics = new Metrics({ service, namespace });
  await metrics.open();
  return metrics;
}

const linesOf = async (metrics: Metrics): Promise<string[]> => (await metrics.text()).split("\n");

test("the names that users' rules rely on are all there", () => {
  const names = Object.keys(metricCatalogue).map((key) => metricName(key as keyof typeof metricCatalogue));
  for (const name of [
    "rag_dense_latency_seconds",
    "rag_sparse_latency_seconds",
    "rag_rerank_latency_seconds",
    "rag_export_latency_seconds",
    "rag_gpu_peak_bytes",
    "rag_gpu_cap_bytes",
    "rag_gpu_lease_bytes",
    "rag_gpu_lease_wait_seconds",
    "rag_candidate_count",
    "rag_batch_size",
    "rag_batch_tokens",
    "rag_queue_depth",
    "rag_oom_total",
    "rag_batch_resize_total",
    "rag_fallback_total",
    "rag_rerank_fallback_total",
    "rag_sparse_coverage_ratio",
    "rag_chunks_total",
    "rag_export_size_bytes",
  ])
    expect(names).toContain(name);
  expect(new Set(names).size).toBe(names.length);
});

test("buckets rise, counters end with _total, and every histogram has buckets", () => {
  for (const definition of Object.values(metricCatalogue)) {
    const buckets: readonly number[] = "buckets" in definition ? definition.buckets : [];
    expect([...buckets].sort((a, b) => a - b)).toEqual(buckets);
    expect(definition.type === "histogram").toBe(buckets.length > 0);
    expect(definition.type === "counter").toBe(definition.name.endsWith("_total"));
  }
});

test("a service serves its own metrics alone, under the namespace asked for, and counters from 0 on", async () => {
  const metrics = await openMetrics("rerank", "acme");
  stageMetrics(metrics, "rerank").countResize("down");
  stageMetrics(metrics, "rerank").countOutOfMemory();
  const lines = await linesOf(metrics);
  for (const line of [
    'acme_oom_total{stage="rerank"} 1',
    'acme_batch_resize_total{stage="rerank",direction="down"} 1',
    'acme_batch_resize_total{stage="rerank",direction="up"} 0',
    'acme_queue_depth{stage="rerank"} 0',
    'acme_leases_lost_total{stage="rerank"} 0',
  ])
    expect(lines).toContain(line);
  expect(lines.filter((line) => line.includes("dense_latency") || line.includes("candidate_count"))).toEqual([]);
});

test("the orchestrator counts a degraded rerank twice: by reason, and as one of rerank", async () => {
  const metrics = await openMetrics("orchestrator");
  const run = runMetrics(metrics);
  run.countFallback("rerank", "execution_failed", "runtime");
  run.countFallback("sparse", "metadata_fallback", "runtime");
  const lines = await linesOf(metrics);
  expect(lines).toContain('rag_fallback_total{stage="rerank",reason="execution_failed",source="runtime"} 1');
  expect(lines).toContain('rag_fallback_total{stage="sparse",reason="metadata_fallback",source="runtime"} 1');
  expect(lines).toContain('rag_fallback_total{stage="chunk",reason="input_skipped",source="runtime"} 0');
  expect(lines).toContain("rag_rerank_fallback_total 1");
});

test("before it is open nothing is counted, but what is held then is given back later", async () => {
  const metrics = new Metrics({ service: "dense" });
  const dense = stageMetrics(metrics, "dense");
  dense.observeLatency(1);
  dense.addLeaseBytes("cpu:0", 100);
  expect(metrics.isOpen).toBe(false);
  expect(await metrics.snapshot()).toEqual([]);
  await metrics.open();
  dense.addLeaseBytes("cpu:0", -40);
  const lines = await linesOf(metrics);
  expect(lines).toContain("rag_dense_latency_seconds_count 0");
  expect(lines).toContain('rag_gpu_lease_bytes{stage="dense",device="cpu:0"} 60');
});

test("an observation inside a sampled span has its ids as exemplar in OpenMetrics, and counters keep their names", async () => {
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  const metrics = await openMetrics("dense");
  const ids = { traceId: "0af7651916cd43dd8448eb211c80319c", spanId: "b7ad6b7169203331" };
  const dense = stageMetrics(metrics, "dense");
  const inside = (traceFlags: TraceFlags, seconds: number) =>
    context.with(trace.setSpanContext(context.active(), { ...ids, traceFlags }), () => dense.observeLatency(seconds));
  inside(TraceFlags.SAMPLED, 0.2);
  inside(TraceFlags.NONE, 2);
  context.disable();
  const text = await metrics.text("openmetrics");
  const exemplars = text.split("\n").filter((line) => line.includes("trace_id"));
  expect(exemplars).toHaveLength(1);
  expect(exemplars[0]).toMatch(
    /^rag_dense_latency_seconds_bucket\{le="0.25"\} 1 # \{trace_id="0af7651916cd43dd8448eb211c80319c",span_id="b7ad6b7169203331"\} 0.2 /,
  );
  expect(text.endsWith("# EOF\n")).toBe(true);
  expect(text).toContain('rag_oom_total{stage="dense"} 0');
  expect(text).toContain("# TYPE rag_oom counter");
  // The one format leaves no trace in the other.
  expect(await metrics.text()).toContain("# TYPE rag_oom_total counter");
  expect(await metrics.text()).not.toContain("trace_id");
});

test("the metrics of the process have no gauge that is called a total", async () => {
  const metrics = await openMetrics("dense");
  await metrics.watchProcess();
  const text = await metrics.text();
  expect(text).toContain("nodejs_eventloop_lag_p99_seconds");
  expect(text).toContain("process_resident_memory_bytes");
  expect(text).not.toMatch(/^# TYPE \w+_total gauge$/m);
});

test("the caps are read when the metrics are", async () => {
  const metrics = await openMetrics("orchestrator");
  let capBytes = 1;
  metrics.watchCaps(() => [{ name: "cuda:0", capBytes }]);
  capBytes = 12e9;
  expect(await linesOf(metrics)).toContain('rag_gpu_cap_bytes{device="cuda:0"} 12000000000');
});

test("snapshots of processes become one: counters and histograms are added, peaks are the highest", async () => {
  const [one, two] = [await openMetrics("dense"), await openMetrics("dense")];
  for (const [i, metrics] of [one, two].entries()) {
    const dense = stageMetrics(metrics, "dense");
    dense.countChunks("ok", 5);
    dense.observeBatch(2 + i, 100);
    dense.recordPeakBytes("cpu:0", 10 * (i + 1));
  }
  const merged = mergeSnapshots([await one.snapshot(), await two.snapshot()]);
  const lines = (await expositionOf(merged)).split("\n");
  for (const line of [
    'rag_chunks_total{stage="dense",outcome="ok"} 10',
    'rag_batch_size_bucket{le="2",stage="dense"} 1',
    'rag_batch_size_bucket{le="4",stage="dense"} 2',
    'rag_batch_size_sum{stage="dense"} 5',
    'rag_gpu_peak_bytes{stage="dense",device="cpu:0"} 20',
  ])
    expect(lines).toContain(line);
});

test("what was counted since a snapshot", async () => {
  const metrics = await openMetrics("dense");
  const dense = stageMetrics(metrics, "dense");
  dense.countChunks("ok", 5);
  dense.observeLatency(0.01);
  const before = JSON.parse(JSON.stringify(await metrics.snapshot())) as Awaited<ReturnType<Metrics["snapshot"]>>;
  dense.countChunks("ok", 2);
  dense.countChunks("failed", 1);
  dense.observeLatency(0.02);
  const lines = (await expositionOf(subtractSnapshot(await metrics.snapshot(), before))).split("\n");
  expect(lines).toContain('rag_chunks_total{stage="dense",outcome="ok"} 2');
  expect(lines).toContain('rag_chunks_total{stage="dense",outcome="failed"} 1');
  expect(lines).toContain("rag_dense_latency_seconds_count 1");
  expect(lines).toContain('rag_dense_latency_seconds_bucket{le="0.01"} 0');
});

test("a peak is seen for a minute, then it is over", () => {
  let now = 0;
  const peak = new RollingPeak(() => now);
  peak.add(7);
  now = 30_000;
  peak.add(3);
  expect(peak.value).toBe(7);
  now = 61_000;
  expect(peak.value).toBe(3);
  now = 500_000;
  expect(peak.value).toBe(0);
});
