import { randomBytes } from "node:crypto";
import {
  type Attributes,
  context,
  isSpanContextValid,
  type Span,
  type SpanContext,
  TraceFlags,
  trace,
} from "@opentelemetry/api";
import { recordFailure } from "@ragline/rpc";
import type { StageName } from "./run-context.js";

const tracer = trace.getTracer("ragline");

/**
 * Does `work` inside a span; a failure is recorded on it. Without a collector nothing is recorded, but every span still
 * has ids of its own, which are sent along, logged and kept in the manifest, so that lines of all processes can be put together.
 */
export async function inSpan<Result>(
  name: string,
  attributes: Attributes,
  work: (span: Span) => Promise<Result>,
): Promise<Result> {
  const started = tracer.startSpan(name, { attributes });
  const span = started.isRecording() ? started : withOwnIds(started.spanContext());
  try {
    return await context.with(trace.setSpan(context.active(), span), work, undefined, span);
  } catch (error) {
    recordFailure(span, error);
    throw error;
  } finally {
    span.end();
  }
}

/** One model's part of answering queries, in the span of its stage. */
export function inModelSpan<Result>(stage: StageName, model: string, work: () => Promise<Result>): Promise<Result> {
  return inSpan(`rag.${stage}`, { "rag.stage": stage, "gen_ai.request.model": model }, work);
}

function withOwnIds(parent: SpanContext): Span {
  const traceId = isSpanContextValid(parent) ? parent.traceId : randomBytes(16).toString("hex");
  return trace.wrapSpanContext({ traceId, spanId: randomBytes(8).toString("hex"), traceFlags: TraceFlags.NONE });
}
