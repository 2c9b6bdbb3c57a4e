import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { RaglineError } from "@ragline/rpc";
import { contentTypes, type ExpositionFormat, type Metrics } from "@ragline/telemetry";

/** A /metrics endpoint that runs. */
export interface MetricsServer {
  /** "host:port" with the real port. */
  readonly address: string;
  close(): void;
}

/** OpenMetrics, which has exemplars, for whoever says that it reads it, as Prometheus does. */
function formatFor(accept: string | undefined): ExpositionFormat {
  return accept?.includes("application/openmetrics-text") ? "openmetrics" : "prometheus";
}

/**
 * Serves `GET /metrics` for Prometheus.
 *
 * @param address "host:port", ":port" (loopback); port 0 takes a free one
 * @throws RaglineError FAILED_PRECONDITION METRICS_CANNOT_LISTEN, INVALID_ARGUMENT ADDRESS_INVALID
 */
export function serveMetrics(metrics: Metrics, address: string): Promise<MetricsServer> {
  const at = address.lastIndexOf(":");
  const port = Number(address.slice(at + 1));
  if (at < 0 || !Number.isInteger(port) || port < 0 || port > 65_535 || address.endsWith(":")) {
    const message = `cannot serve metrics on "${address}": expected host:port`;
    return Promise.reject(new RaglineError("INVALID_ARGUMENT", "ADDRESS_INVALID", message));
  }
  const host = address.slice(0, at).replace(/^\[|\]$/g, "") || "127.0.0.1";
  const server = createServer((request, response) => {
    if (request.method !== "GET" || request.url?.split("?")[0] !== "/metrics") {
      response.writeHead(404).end("the only page is GET /metrics\n");
      return;
    }
    const format = formatFor(request.headers.accept);
    metrics.text(format).then(
      (text) => response.writeHead(200, { "content-type": contentTypes[format] }).end(text),
      () => response.writeHead(500).end(),
    );
  });
  return new Promise((resolve, reject) => {
    server.once("error", (cause: NodeJS.ErrnoException) => {
      const why =
        cause.code === "EADDRINUSE" ? "the port is in use; stop who uses it or choose another" : cause.message;
      const message = `cannot serve metrics on ${address}: ${why}`;
      reject(new RaglineError("FAILED_PRECONDITION", "METRICS_CANNOT_LISTEN", message, { cause }));
    });
    server.listen(port, host, () => {
      const bound = `${address.slice(0, at) || host}:${(server.address() as AddressInfo).port}`;
      resolve({
        address: bound,
        close: () => {
          server.close();
          server.closeAllConnections();
        },
      });
    });
  });
}
