export { criticalPath, type PathStep } from "./critical-path.js";
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
  keepPeaks,
  type MetricSample,
  type MetricSnapshot,
  type MetricValues,
  mergeSnapshots,
  subtractSnapshot,
  withNamespace,
  withoutNamespace,
} from "./metric-snapshot.js";
export { type DeviceCap, Metrics, type MetricsOptions } from "./metrics.js";
export { type OtlpEndpoint, type OtlpProtocol, otlpEndpoint } from "./otlp-endpoint.js";
export { pushMetrics } from "./push-metrics.js";
export {
  readSpans,
  type TraceAttributes,
  type TraceEvent,
  TraceFormatError,
  type TraceSpan,
} from "./read-spans.js";
export { noRunMetrics, type RunMetrics, runMetrics } from "./run-metrics.js";
export { noMetrics, type StageMetrics, stageMetrics } from "./stage-metrics.js";
export { collectorSettings, metricsSettings } from "./telemetry-settings.js";
export { TraceCollector } from "./trace-collector.js";
export { readTrace, type TraceNode, type TraceTree } from "./trace-tree.js";
export { recordAlways, startTracing, type Tracing, type TracingOptions, workerTracer } from "./tracing.js";
