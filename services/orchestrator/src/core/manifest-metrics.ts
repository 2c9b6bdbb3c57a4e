import type { MetricSample, MetricSnapshot, MetricValues } from "@ragline/telemetry";

/** One series as the manifest keeps it. */
type ManifestValue = {
  readonly name: string;
  readonly labels: MetricSample["labels"];
} & ({ readonly value: number } | { readonly count: number; readonly sum: number });

/** What a stage has counted, as the manifest keeps it. */
export interface ManifestMetrics {
  readonly status: "emitted";
  /** Names, as the schema before this one has them. */
  readonly metrics: readonly string[];
  readonly values: readonly ManifestValue[];
}

const stagePattern = /_(dense|sparse|rerank|export)_/;

/** The stage that a series is about: the one it is labelled with, or named for. */
function stageOf({ name }: MetricValues, { labels }: MetricSample): string | undefined {
  return labels["stage"] === undefined ? stagePattern.exec(name)?.[1] : String(labels["stage"]);
}

function valueOf(metric: MetricValues, sample: MetricSample): ManifestValue | undefined {
  const { name, type, values } = metric;
  if (type !== "histogram") return { name, labels: sample.labels, value: sample.value };
  if (sample.metricName !== `${name}_count` || sample.value === 0) return undefined;
  const labels = JSON.stringify(sample.labels);
  const sum = values.find((other) => other.metricName === `${name}_sum` && JSON.stringify(other.labels) === labels);
  return { name, labels: sample.labels, count: sample.value, sum: sum?.value ?? 0 };
}

/** The metrics of a run by stage, without the buckets of histograms and without those of processes. */
export function manifestMetrics(snapshot: MetricSnapshot, namespace: string): ReadonlyMap<string, ManifestMetrics> {
  const byStage = new Map<string, ManifestValue[]>();
  for (const metric of snapshot.filter(({ name }) => name.startsWith(`${namespace}_`))) {
    for (const sample of metric.values) {
      const stage = stageOf(metric, sample);
      const value = stage === undefined ? undefined : valueOf(metric, sample);
      if (stage === undefined || !value) continue;
      byStage.set(stage, [...(byStage.get(stage) ?? []), value]);
    }
  }
  return new Map(
    [...byStage].map(([stage, values]) => {
      const names = [...new Set(values.map(({ name }) => name))].sort();
      return [stage, { status: "emitted", metrics: names, values }];
    }),
  );
}
