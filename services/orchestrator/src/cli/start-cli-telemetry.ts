import { ConfigError } from "@ragline/config";
import { type MetricsServer, serveMetrics } from "@ragline/service-kit";
import { Metrics, otlpEndpoint, startTracing, type Tracing } from "@ragline/telemetry";
import type { RunSettings } from "../run-settings.js";
import { version } from "../version.js";

/** What this process tells of itself. */
export interface CliTelemetry {
  readonly metrics: Metrics;
  readonly tracing: Tracing;
  /** Told what does not work of it, in a sentence. */
  readonly onWarning: (message: string) => void;
  /** Sends what is left, for at most a few seconds, and stops. */
  close(): Promise<void>;
}

/** The settings that {@link startCliTelemetry} reads; without those of metrics nothing is counted. */
export type TelemetrySettings = Pick<RunSettings, "otlpEndpoint"> &
  Partial<Pick<RunSettings, "metricsEnabled" | "metricsNamespace" | "metricsListen" | "metricsPush">>;

/** Settings are kept in the manifest and printed: no place for passwords. */
function refuseCredentials(flag: string, url: string | null): void {
  if (!url || !URL.canParse(url)) return;
  const { username, password } = new URL(url);
  if (username || password) throw new ConfigError(`${flag}: a URL with a name or password in it would be recorded`);
}

/**
 * Lets trace context flow from the command line to the services, records spans where a collector is named, and counts
 * and serves metrics where the settings say so. Warnings go to stderr by default.
 * @throws ConfigError for a URL that is none, RaglineError for an address that cannot be bound.
 */
export async function startCliTelemetry(
  settings: TelemetrySettings,
  onWarning: (message: string) => void = (message) => void process.stderr.write(`  telemetry: ${message}\n`),
): Promise<CliTelemetry> {
  const { otlpEndpoint: collector, metricsListen = null, metricsPush = null } = settings;
  if (metricsPush && !/^https?:\/\/./.test(metricsPush))
    throw new ConfigError(`--metrics-push: "${metricsPush}" is no URL; expected such as http://127.0.0.1:9091`);
  refuseCredentials("--metrics-push", metricsPush);
  refuseCredentials("--otlp-endpoint", collector);
  const { metricsNamespace: namespace } = settings;
  const metrics = new Metrics({ service: "orchestrator", ...(namespace === undefined ? {} : { namespace }) });
  const tracing = await startTracing({
    serviceName: "ragline-cli",
    serviceVersion: version,
    endpoint: otlpEndpoint(collector, process.env),
    onWarning,
    onDropped: (reason, count) => metrics.count("spansDropped", { reason }, count),
  });
  let server: MetricsServer | undefined;
  if (settings.metricsEnabled) {
    await metrics.open();
    await metrics.watchProcess();
    if (metricsListen) {
      server = await serveMetrics(metrics, metricsListen);
      process.stderr.write(`ragline: metrics at http://${server.address}/metrics\n`);
    }
  }
  return {
    metrics,
    tracing,
    onWarning,
    close: async () => {
      server?.close();
      await tracing.close();
    },
  };
}
