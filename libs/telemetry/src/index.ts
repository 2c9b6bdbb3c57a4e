export {
  type MetricDefinition,
  type MetricKey,
  type MetricService,
  metricCatalogue,
  metricName,
} from "./metric-catalogue.js";
export {
  contentTypes,
  type ExpositionFormat,
  expositionOf,
  type MetricSample,
  type MetricSnapshot,
  type MetricValues,
  mergeSnapshots,
  registryOf,
  subtractSnapshot,
} from "./metric-snapshot.js";
export { type DeviceCap, Metrics, type MetricsOptions } from "./metrics.js";
export { noRunMetrics, type RunMetrics, runMetrics } from "./run-metrics.js";
export { noMetrics, type StageMetrics, stageMetrics } from "./stage-metrics.js";
