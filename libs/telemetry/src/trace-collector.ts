import type { ReadableSpan } from "@opentelemetry/sdk-trace-node";
import type { SpanSink } from "./span-keeper.js";

// A run makes some thousands; this many are some ten megabytes.
const maxSpans = 20_000;
const spansPerMessage = 500;

/** Keeps the spans of one trace until they are taken away. */
export class TraceCollector implements SpanSink {
  readonly traceId: string;
  readonly #onSpans: () => void;
  #spans: ReadableSpan[] = [];
  #dropped = 0;

  /** @param onSpans told when there are spans to take away */
  constructor(traceId: string, onSpans: () => void = () => undefined) {
    this.traceId = traceId;
    this.#onSpans = onSpans;
  }

  /** Spans of the trace that could not be kept. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Counts spans that were dropped before they came here. */
  countDropped(count = 1): void {
    this.#dropped += count;
  }

  take(spans: readonly ReadableSpan[]): void {
    const own = spans.filter((span) => span.spanContext().traceId === this.traceId);
    if (own.length === 0) return;
    if (this.#spans.length + own.length > maxSpans) {
      this.#dropped += own.length;
      return;
    }
    this.#spans.push(...own);
    this.#onSpans();
  }

  /** Takes the spans away, as OTLP requests in JSON. */
  async drain(): Promise<Uint8Array[]> {
    const spans = this.#spans;
    this.#spans = [];
    if (spans.length === 0) return [];
    const { JsonTraceSerializer } = await import("@opentelemetry/otlp-transformer");
    const messages: Uint8Array[] = [];
    for (let at = 0; at < spans.length; at += spansPerMessage) {
      const message = JsonTraceSerializer.serializeRequest(spans.slice(at, at + spansPerMessage));
      if (message) messages.push(message);
    }
    return messages;
  }
}
