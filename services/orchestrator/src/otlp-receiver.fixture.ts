import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { readSpans, type TraceSpan } from "@ragline/telemetry";

/** A collector that speaks OTLP over HTTP with JSON, and keeps the spans that it gets. */
export interface OtlpReceiver {
  readonly url: string;
  /** All spans so far. */
  readonly spans: readonly TraceSpan[];
  close(): void;
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  return Buffer.concat(parts).toString();
}

/** Starts a receiver on a free port. */
export async function startOtlpReceiver(): Promise<OtlpReceiver> {
  const spans: TraceSpan[] = [];
  const server = createServer((request, response) => {
    void bodyOf(request).then((body) => {
      const isTraces = request.method === "POST" && request.url === "/v1/traces";
      if (isTraces && body !== "") spans.push(...readSpans(body));
      response.writeHead(isTraces ? 200 : 404, { "content-type": "application/json" }).end("{}");
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    spans,
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}
