import { type MetricDefinition, metricCatalogue, metricName } from "@ragline/telemetry";
import { readQuery } from "./promql.js";
import type { RecordingRule } from "./rule-files.js";

// What Prometheus gives every series of a target, and every alert.
const targetLabels = ["job", "instance"];

/** The series that a query may read, with the labels of each. */
export type KnownSeries = ReadonlyMap<string, ReadonlySet<string>>;

/** Series of Ragline's own metrics: one for a counter or gauge, three for a histogram. */
export function ownSeries(namespace = "rag"): Map<string, Set<string>> {
  const series = new Map<string, Set<string>>();
  for (const [key, { type, labels }] of Object.entries<MetricDefinition>(metricCatalogue)) {
    const name = metricName(key as keyof typeof metricCatalogue, namespace);
    const own = [...labels, ...targetLabels];
    if (type !== "histogram") series.set(name, new Set(own));
    else {
      series.set(`${name}_bucket`, new Set([...own, "le"]));
      for (const part of ["sum", "count"]) series.set(`${name}_${part}`, new Set(own));
    }
  }
  return series;
}

/** Series of the recording rules; each has the labels that its query groups by. */
export function recordedSeries(rules: readonly RecordingRule[]): Map<string, Set<string>> {
  return new Map(rules.map(({ record, expr }) => [record, new Set(readQuery(expr).grouping)]));
}

/** Series of Prometheus itself and of the Node process, which a text exposition lists with its types. */
export function otherSeries(exposition: string): Map<string, Set<string>> {
  const series = new Map([
    ["up", new Set(targetLabels)],
    ["ALERTS", new Set(["alertname", "alertstate", "severity", ...targetLabels])],
  ]);
  for (const [, name = ""] of exposition.matchAll(/^# TYPE ((?:process|nodejs)_\w+) (?:gauge|counter)$/gm))
    series.set(name, new Set([...targetLabels, "kind", "space"]));
  return series;
}

/** What a query reads and nobody writes: a sentence for each unknown series or label. */
export function unknownNames(query: string, known: KnownSeries): string[] {
  const { selectors, grouping } = readQuery(query);
  const read = new Set(selectors.flatMap(({ metric }) => [...(known.get(metric) ?? [])]));
  return [
    ...selectors.flatMap(({ metric, labels }) => {
      const own = known.get(metric);
      if (!own) return [`nothing writes ${metric}`];
      return labels.filter((label) => !own.has(label)).map((label) => `${metric} has no label ${label}`);
    }),
    ...grouping.filter((label) => !read.has(label)).map((label) => `no series of ${query} has a label ${label}`),
  ];
}
