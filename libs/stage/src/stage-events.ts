import { type Attributes, context, isSpanContextValid, type Span, TraceFlags, trace } from "@opentelemetry/api";

/** Something that happened to a stage's stream, told as an event of its span. */
export type StageEvent = (name: string, attributes?: Attributes) => void;

/**
 * Tells events to the span that is active now, whenever they happen, and to a listener in the context of that span.
 * A span that has ended takes none.
 */
export function stageEvents(listener?: StageEvent): StageEvent {
  const active = context.active();
  const span = trace.getSpan(active);
  return (name, attributes) => {
    if (span?.isRecording()) span.addEvent(name, attributes);
    if (listener) context.with(active, listener, undefined, name, attributes);
  };
}

/** W3C `traceparent` of the span that is active now. */
export function activeTraceparent(): string | undefined {
  const span: Span | undefined = trace.getSpan(context.active());
  const ids = span?.spanContext();
  if (!ids || !isSpanContextValid(ids)) return undefined;
  const flags = (ids.traceFlags & TraceFlags.SAMPLED).toString(16).padStart(2, "0");
  return `00-${ids.traceId}-${ids.spanId}-${flags}`;
}
