import type { Registry } from "prom-client";

/** One value of a metric, or of a bucket, sum or count of a histogram. */
export interface MetricSample {
  readonly labels: Readonly<Record<string, string | number>>;
  readonly value: number;
  /** Name of the series where it is not that of the metric, such as "rag_batch_size_bucket". */
  readonly metricName?: string;
}

/** All values of one metric. */
export interface MetricValues {
  readonly name: string;
  readonly help: string;
  readonly type: "counter" | "gauge" | "histogram" | "summary";
  readonly aggregator: string;
  readonly values: readonly MetricSample[];
}

/** What a process counted and measured up to a moment; plain JSON. */
export type MetricSnapshot = readonly MetricValues[];

/** A text format of Prometheus: the classic one, or OpenMetrics, which has exemplars. */
export type ExpositionFormat = "prometheus" | "openmetrics";

/** The content type of a format. */
export const contentTypes: Readonly<Record<ExpositionFormat, string>> = {
  prometheus: "text/plain; version=0.0.4; charset=utf-8",
  openmetrics: "application/openmetrics-text; version=1.0.0; charset=utf-8",
};

/** A registry that holds what was counted, for prom-client's own writers. It cannot count further. */
export async function registryOf(snapshot: MetricSnapshot, format: ExpositionFormat = "prometheus"): Promise<Registry> {
  const { Registry } = (await import("prom-client")).default;
  const registry = new Registry();
  registry.setContentType(contentTypes[format] as typeof registry.contentType);
  for (const metric of snapshot) {
    // A copy: writing OpenMetrics renames counters in place.
    const copy = { ...metric, get: async () => copy };
    registry.registerMetric(copy as never);
  }
  return registry;
}

/** A snapshot as text. */
export async function expositionOf(snapshot: MetricSnapshot, format: ExpositionFormat = "prometheus"): Promise<string> {
  return (await registryOf(snapshot, format)).metrics();
}

const keyOf = ({ metricName = "", labels }: MetricSample): string =>
  JSON.stringify([metricName, Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1))]);

const combine: Readonly<Record<string, (a: number, b: number) => number>> = {
  sum: (a, b) => a + b,
  max: (a, b) => Math.max(a, b),
  min: (a, b) => Math.min(a, b),
};

/** The values of several processes as one: counters and histograms are added up, gauges as each metric says. */
export function mergeSnapshots(snapshots: readonly MetricSnapshot[]): MetricSnapshot {
  const merged = new Map<string, { metric: MetricValues; samples: Map<string, MetricSample> }>();
  for (const metric of snapshots.flat()) {
    const known = merged.get(metric.name) ?? { metric, samples: new Map<string, MetricSample>() };
    merged.set(metric.name, known);
    const add = combine[metric.aggregator];
    for (const sample of metric.values) {
      const key = keyOf(sample);
      const before = known.samples.get(key);
      known.samples.set(
        key,
        before ? { ...before, value: add ? add(before.value, sample.value) : before.value } : sample,
      );
    }
  }
  return [...merged.values()].map(({ metric, samples }) => ({ ...metric, values: [...samples.values()] }));
}

/** What was counted since an earlier snapshot of the same process; gauges are as they are now. */
export function subtractSnapshot(now: MetricSnapshot, before: MetricSnapshot): MetricSnapshot {
  const earlier = new Map(before.map((metric) => [metric.name, metric]));
  return now.map((metric) => {
    const then = metric.type === "gauge" ? undefined : earlier.get(metric.name);
    if (!then) return metric;
    const values = new Map(then.values.map((sample) => [keyOf(sample), sample.value]));
    return {
      ...metric,
      values: metric.values.map((sample) => ({ ...sample, value: sample.value - (values.get(keyOf(sample)) ?? 0) })),
    };
  });
}

/** A snapshot whose peaks are those of an earlier one where they were higher: gauges that tell of the last minute only. */
export function keepPeaks(now: MetricSnapshot, before: MetricSnapshot): MetricSnapshot {
  const isPeak = ({ type, aggregator }: MetricValues): boolean => type === "gauge" && aggregator === "max";
  const peaks = mergeSnapshots([now.filter(isPeak), before.filter(isPeak)]);
  return [...now.filter((metric) => !isPeak(metric)), ...peaks];
}

/** A snapshot whose names have had a part put before them. */
export function withNamespace(snapshot: MetricSnapshot, namespace: string): MetricSnapshot {
  return snapshot.map((metric) => ({
    ...metric,
    name: `${namespace}_${metric.name}`,
    values: metric.values.map((sample) =>
      sample.metricName === undefined ? sample : { ...sample, metricName: `${namespace}_${sample.metricName}` },
    ),
  }));
}

/** The metrics whose names start with the namespace, without it: those of Ragline, not of the process. */
export function withoutNamespace(snapshot: MetricSnapshot, namespace: string): MetricSnapshot {
  const prefix = `${namespace}_`;
  const strip = (name: string): string => name.slice(prefix.length);
  return snapshot
    .filter(({ name }) => name.startsWith(prefix))
    .map((metric) => ({
      ...metric,
      name: strip(metric.name),
      values: metric.values.map((sample) =>
        sample.metricName === undefined ? sample : { ...sample, metricName: strip(sample.metricName) },
      ),
    }));
}
