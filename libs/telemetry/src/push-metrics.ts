import { type MetricSnapshot, registryOf } from "./metric-snapshot.js";

const timeoutMs = 5000;

/**
 * Pushes values to a Pushgateway, or to what speaks its protocol, under `/metrics/job/<job>`; they replace those that
 * were pushed for that job before.
 *
 * @param address URL of the gateway such as "http://127.0.0.1:9091"
 * @throws an error that names the address when it cannot be reached within 5 seconds or refuses
 */
export async function pushMetrics(snapshot: MetricSnapshot, address: string, job: string): Promise<void> {
  const { Pushgateway } = (await import("prom-client")).default;
  const gateway = new Pushgateway(address, { timeout: timeoutMs }, await registryOf(snapshot));
  try {
    const { resp } = (await gateway.push({ jobName: job })) as { resp?: { statusCode?: number } };
    if (resp?.statusCode !== undefined && resp.statusCode >= 400) throw new Error(`HTTP status ${resp.statusCode}`);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message || String((cause as NodeJS.ErrnoException).code) : String(cause);
    throw new Error(`the metrics could not be pushed to ${address}: ${why}`, { cause });
  }
}
