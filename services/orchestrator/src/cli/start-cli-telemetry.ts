import { startTelemetry, type Telemetry } from "@ragline/service-kit";

/** Lets trace context flow from the command line to the services, and records spans where a collector is named. */
export function startCliTelemetry(): Promise<Telemetry> {
  return startTelemetry({ serviceName: "ragline-cli", otlpEndpoint: process.env.OTEL_EXPORTER_OTLP_ENDPOINT ?? "" });
}
