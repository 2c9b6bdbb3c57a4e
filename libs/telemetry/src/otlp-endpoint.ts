import type { SpanExporter } from "@opentelemetry/sdk-trace-node";
import { ConfigError } from "@ragline/config";

/** How spans are sent: the names of OTEL_EXPORTER_OTLP_PROTOCOL. */
export type OtlpProtocol = "grpc" | "http/protobuf" | "http/json";

/** A collector and how it is spoken to. */
export interface OtlpEndpoint {
  readonly url: string;
  readonly protocol: OtlpProtocol;
}

const protocols: readonly OtlpProtocol[] = ["grpc", "http/protobuf", "http/json"];
const httpPort = "4318";

/**
 * The collector that a URL and the environment name: OTEL_EXPORTER_OTLP_PROTOCOL or its variant for traces says how it
 * is spoken to; without one it is HTTP on port 4318, gRPC elsewhere. Undefined without a URL.
 * @throws ConfigError for a URL or a protocol that is none.
 */
export function otlpEndpoint(
  url: string | null | undefined,
  env: Readonly<Record<string, string | undefined>>,
): OtlpEndpoint | undefined {
  if (!url) return undefined;
  if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol))
    throw new ConfigError(`the OTLP endpoint "${url}" is no URL; expected such as http://127.0.0.1:4317`);
  const asked = env["OTEL_EXPORTER_OTLP_TRACES_PROTOCOL"] || env["OTEL_EXPORTER_OTLP_PROTOCOL"];
  const protocol = asked || (new URL(url).port === httpPort ? "http/protobuf" : "grpc");
  if (!protocols.includes(protocol as OtlpProtocol))
    throw new ConfigError(`OTEL_EXPORTER_OTLP_PROTOCOL is "${protocol}"; expected one of ${protocols.join(", ")}`);
  return { url, protocol: protocol as OtlpProtocol };
}

// An attempt, its repetitions included; what is not sent by then is given up and counted.
const timeoutMillis = 3000;

/** What sends spans to a collector; headers and certificates are those of the OTEL_EXPORTER_OTLP variables. */
export async function otlpExporter({ url, protocol }: OtlpEndpoint): Promise<SpanExporter> {
  if (protocol === "grpc") {
    const { OTLPTraceExporter } = await import("@opentelemetry/exporter-trace-otlp-grpc");
    return new OTLPTraceExporter({ url, timeoutMillis });
  }
  const traces = url.endsWith("/v1/traces") ? url : `${url.replace(/\/$/, "")}/v1/traces`;
  const { OTLPTraceExporter } =
    protocol === "http/json"
      ? await import("@opentelemetry/exporter-trace-otlp-http")
      : await import("@opentelemetry/exporter-trace-otlp-proto");
  return new OTLPTraceExporter({ url: traces, timeoutMillis });
}
