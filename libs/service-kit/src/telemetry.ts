import { context, DiagLogLevel, diag, propagation, trace } from "@opentelemetry/api";
import { AsyncLocalStorageContextManager } from "@opentelemetry/context-async-hooks";
import { W3CTraceContextPropagator } from "@opentelemetry/core";
import type { Logger } from "./logger.js";

/** What {@link startTelemetry} needs to know. */
export interface TelemetryOptions {
  /** `service.name` of every span, such as "ragline-dense". */
  readonly serviceName: string;
  /** URL of an OTLP gRPC collector such as "http://localhost:4317". @default none: spans are not recorded */
  readonly otlpEndpoint?: string;
  /** Told of spans that could not be sent. @default nobody */
  readonly log?: Logger;
}

/** Telemetry that runs. */
export interface Telemetry {
  /** Sends what is left, for at most a few seconds, and stops. */
  close(): Promise<void>;
}

const flushTimeoutMs = 3000;

/**
 * Makes trace context flow through this process and its calls (W3C, AsyncLocalStorage), and with an endpoint records
 * spans and sends them there. The SDK is loaded only then: it would double the time to start. Once per process.
 */
export async function startTelemetry(options: TelemetryOptions): Promise<Telemetry> {
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  propagation.setGlobalPropagator(new W3CTraceContextPropagator());
  const { otlpEndpoint, log } = options;
  if (!otlpEndpoint) return { close: async () => {} };

  if (log) {
    const warn = (message: string) => log.warn({ source: "opentelemetry" }, message);
    diag.setLogger({ error: warn, warn, info() {}, debug() {}, verbose() {} }, DiagLogLevel.WARN);
  }
  const [{ BatchSpanProcessor, NodeTracerProvider }, { OTLPTraceExporter }, { resourceFromAttributes }] =
    await Promise.all([
      import("@opentelemetry/sdk-trace-node"),
      import("@opentelemetry/exporter-trace-otlp-grpc"),
      import("@opentelemetry/resources"),
    ]);
  const provider = new NodeTracerProvider({
    resource: resourceFromAttributes({ "service.name": options.serviceName }),
    spanProcessors: [new BatchSpanProcessor(new OTLPTraceExporter({ url: otlpEndpoint }))],
  });
  trace.setGlobalTracerProvider(provider);
  return {
    close: async () => {
      const late = new Promise<void>((resolve) => setTimeout(resolve, flushTimeoutMs).unref());
      await Promise.race([provider.shutdown(), late]).catch((error: unknown) => {
        log?.warn({ err: error }, "could not send the last spans");
      });
    },
  };
}
