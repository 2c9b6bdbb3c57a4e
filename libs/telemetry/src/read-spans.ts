/** Attributes of a span or an event; lists and maps are JSON. */
export type TraceAttributes = Readonly<Record<string, string | number | boolean>>;

/** Something that happened in a span. */
export interface TraceEvent {
  readonly name: string;
  readonly atMs: number;
  readonly attributes: TraceAttributes;
}

/** A span of OTLP JSON. */
export interface TraceSpan {
  readonly name: string;
  readonly traceId: string;
  readonly spanId: string;
  /** Empty for one without a parent. */
  readonly parentSpanId: string;
  /** `service.name` of the process. */
  readonly service: string;
  readonly pid: number | undefined;
  /** Milliseconds since the epoch. */
  readonly startMs: number;
  readonly endMs: number;
  readonly isError: boolean;
  readonly attributes: TraceAttributes;
  readonly events: readonly TraceEvent[];
  readonly links: readonly { readonly traceId: string; readonly spanId: string }[];
}

/** A file that is no trace. */
export class TraceFormatError extends Error {
  override readonly name = "TraceFormatError";
}

interface OtlpAttribute {
  readonly key: string;
  readonly value: Readonly<Record<string, unknown>>;
}

interface OtlpSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly startTimeUnixNano: string | number;
  readonly endTimeUnixNano: string | number;
  readonly attributes?: readonly OtlpAttribute[];
  readonly events?: readonly {
    readonly name: string;
    readonly timeUnixNano: string | number;
    readonly attributes?: readonly OtlpAttribute[];
  }[];
  readonly links?: readonly { readonly traceId: string; readonly spanId: string }[];
  readonly status?: { readonly code?: number | string };
}

interface OtlpRequest {
  readonly resourceSpans?: readonly {
    readonly resource?: { readonly attributes?: readonly OtlpAttribute[] };
    readonly scopeSpans?: readonly { readonly spans?: readonly OtlpSpan[] }[];
  }[];
}

const millis = (nanos: string | number): number => Number(BigInt(nanos) / 1000n) / 1000;

function plainValue(value: OtlpAttribute["value"]): string | number | boolean {
  const [said] = Object.values(value);
  if (typeof said === "string" || typeof said === "number" || typeof said === "boolean") return said;
  return JSON.stringify(said);
}

function plain(attributes: readonly OtlpAttribute[] = []): TraceAttributes {
  return Object.fromEntries(attributes.map(({ key, value }) => [key, plainValue(value)]));
}

/** One OTLP request as JSON, or one a line as the OpenTelemetry Collector's file exporter writes them. */
function parseRequests(text: string): OtlpRequest[] {
  try {
    return [JSON.parse(text) as OtlpRequest];
  } catch {
    const lines = text.split("\n").filter((line) => line.trim() !== "");
    return lines.map((line, i) => {
      try {
        return JSON.parse(line) as OtlpRequest;
      } catch (cause) {
        throw new TraceFormatError(`line ${i + 1} is no JSON: ${(cause as Error).message}`, { cause });
      }
    });
  }
}

const errorStatus = 2;

function toSpan(span: OtlpSpan, resource: TraceAttributes): TraceSpan {
  const { name, traceId, spanId, parentSpanId = "", startTimeUnixNano, endTimeUnixNano, status } = span;
  const pid = resource["process.pid"];
  return {
    name,
    traceId,
    spanId,
    parentSpanId,
    service: String(resource["service.name"] ?? "unknown"),
    pid: pid === undefined ? undefined : Number(pid),
    startMs: millis(startTimeUnixNano),
    endMs: millis(endTimeUnixNano),
    isError: status?.code === errorStatus || status?.code === "STATUS_CODE_ERROR",
    attributes: plain(span.attributes),
    events: (span.events ?? []).map((event) => ({
      name: event.name,
      atMs: millis(event.timeUnixNano),
      attributes: plain(event.attributes),
    })),
    links: (span.links ?? []).map((link) => ({ traceId: link.traceId, spanId: link.spanId })),
  };
}

function readSpan(span: OtlpSpan, resource: TraceAttributes): TraceSpan {
  try {
    return toSpan(span, resource);
  } catch (cause) {
    throw new TraceFormatError(`a span in it cannot be read: ${(cause as Error).message}`, { cause });
  }
}

/**
 * The spans of OTLP JSON: of one request, a trace file of a run, or what the OpenTelemetry Collector wrote to a file.
 * @throws TraceFormatError when the text is none
 */
export function readSpans(text: string): TraceSpan[] {
  return parseRequests(text).flatMap(({ resourceSpans = [] }) =>
    resourceSpans.flatMap(({ resource, scopeSpans = [] }) => {
      const of = plain(resource?.attributes);
      return scopeSpans.flatMap(({ spans = [] }) => spans.map((span) => readSpan(span, of)));
    }),
  );
}
