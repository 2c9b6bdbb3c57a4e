import { type MetricsServer, serveMetrics } from "@ragline/service-kit";
import { Metrics } from "@ragline/telemetry";
import type { RunSettings } from "../run-settings.js";

/** The metrics of a run that this process does. */
export interface CliMetrics {
  readonly metrics: Metrics;
  close(): void;
}

/**
 * Starts to count, and to serve what is counted where the settings name an address.
 * @throws RaglineError for an address that cannot be bound.
 */
export async function startCliMetrics(settings: RunSettings): Promise<CliMetrics> {
  const { metricsEnabled, metricsNamespace: namespace, metricsListen } = settings;
  const metrics = new Metrics({ service: "orchestrator", namespace });
  if (!metricsEnabled) return { metrics, close: () => undefined };
  await metrics.open();
  let server: MetricsServer | undefined;
  if (metricsListen) {
    await metrics.watchProcess();
    server = await serveMetrics(metrics, metricsListen);
    process.stderr.write(`ragline: metrics at http://${server.address}/metrics\n`);
  }
  return { metrics, close: () => server?.close() };
}
