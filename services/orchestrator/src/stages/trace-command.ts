import { type Attributes, context } from "@opentelemetry/api";
import { recordAlways } from "@ragline/telemetry";
import { inSpan } from "../core/run-trace.js";
import { RunTelemetry, type RunTelemetryOptions } from "./run-telemetry.js";

/**
 * Does the work of a command inside its root span, and writes the trace file that the settings name, however the work
 * ends. Services that the work has started must live until then: end them after this.
 * @param work is given what services are attached to
 */
export async function traceCommand<Result>(
  name: string,
  attributes: Attributes,
  options: RunTelemetryOptions,
  work: (telemetry: RunTelemetry) => Promise<Result>,
): Promise<Result> {
  const telemetry = await RunTelemetry.begin(options);
  const root = options.settings.traceFile ? recordAlways() : context.active();
  try {
    return await context.with(root, () =>
      inSpan(name, attributes, async (span) => {
        await telemetry.collectTrace(span.spanContext().traceId);
        return work(telemetry);
      }),
    );
  } finally {
    await telemetry.finish();
  }
}
