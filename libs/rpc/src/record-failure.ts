import { type Span, SpanStatusCode } from "@opentelemetry/api";
import { RaglineError } from "./ragline-error.js";

/**
 * Tells a span that its work failed. Only what we have written ourselves is told: the message of an error that nobody
 * expected may hold a piece of the text that it is about, and is for the log alone.
 */
export function recordFailure(span: Span, error: unknown): void {
  const known = error instanceof RaglineError;
  const name = known ? error.reason : error instanceof Error ? error.name : "Error";
  const message = known ? error.message : "an error that was not expected; the log has it";
  span.recordException({ name, message });
  span.setAttribute("error.type", name);
  span.setStatus({ code: SpanStatusCode.ERROR, message });
}
