import { randomBytes } from "node:crypto";
import { type Attributes, context, isSpanContextValid, type Span, SpanStatusCode, TraceFlags, trace } from "@opentelemetry/api";

const tracer = trace.getTracer("ragline");

/**
 * Does `work` inside a span; a failure is recorded on it. Without a collector spans are not recorded, but the outermost
 * one still gets a trace id, which is sent along and logged, so that lines of all processes can be put together.
 */
export async function inSpan<Result>(name: string, attributes: Attributes, work: (span: Span) => Promise<Result>): Promise<Result> {
  const started = tracer.startSpan(name, { attributes });
  const span = isSpanContextValid(started.spanContext())
    ? started
    : trace.wrapSpanContext({ traceId: randomBytes(16).toString("hex"), spanId: randomBytes(8).toString("hex"), traceFlags: TraceFlags.NONE });
  try {
    return await context.with(trace.setSpan(context.active(), span), work, undefined, span);
  } catch (error) {
    span.recordException(error instanceof Error ? error : String(error));
    span.setStatus({ code: SpanStatusCode.ERROR });
    throw error;
  } finally {
    span.end();
  }
}
