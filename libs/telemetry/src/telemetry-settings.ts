import { defineSettings } from "@ragline/config";

/** The settings of every process that may count. */
export const metricsSettings = defineSettings({
  metricsEnabled: {
    type: "boolean",
    default: true,
    env: "EMBEDDER_METRICS_ENABLED",
    description: "Whether metrics are kept at all.",
  },
  metricsNamespace: {
    type: "string",
    default: "rag",
    env: "EMBEDDER_METRICS_NAMESPACE",
    description: "First part of every metric's name.",
  },
});

/** The settings of every process that may send spans. */
export const collectorSettings = defineSettings({
  otlpEndpoint: {
    type: "string",
    default: null,
    env: "OTEL_EXPORTER_OTLP_ENDPOINT",
    description: "URL of an OTLP collector for traces, over gRPC or HTTP.",
  },
});
