/** Attributes of a span or an event; lists and maps are JSON. */
export type TraceAttributes = Readonly<Record<string, string | number | boolean>>;

/** A span of a trace file, with what is below it. */
export interface TraceNode {
  readonly name: string;
  readonly traceId: string;
  readonly spanId: string;
  /** `service.name` of the process. */
  readonly service: string;
  readonly pid: number | undefined;
  /** Milliseconds since the epoch. */
  readonly startMs: number;
  readonly endMs: number;
  readonly isError: boolean;
  readonly attributes: TraceAttributes;
  readonly events: readonly TraceEvent[];
  /** By their start. */
  readonly children: readonly TraceNode[];
}

/** Something that happened in a span. */
export interface TraceEvent {
  readonly name: string;
  readonly atMs: number;
  readonly attributes: TraceAttributes;
}

/** What a trace file holds. */
export interface TraceTree {
  /** Spans without a parent, or whose parent is not in the file, by their start. */
  readonly roots: readonly TraceNode[];
  readonly spanCount: number;
  /** Spans whose parent is not in the file. */
  readonly orphanCount: number;
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

function nodeOf(
  span: OtlpSpan,
  resource: TraceAttributes,
): { node: TraceNode & { children: TraceNode[] }; parent: string } {
  const { name, traceId, spanId, parentSpanId = "", startTimeUnixNano, endTimeUnixNano, status } = span;
  const pid = resource["process.pid"];
  const node = {
    name,
    traceId,
    spanId,
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
    children: [] as TraceNode[],
  };
  return { node, parent: parentSpanId };
}

/**
 * Reads OTLP JSON: a trace file of a run, or what the OpenTelemetry Collector wrote to a file.
 * @throws TraceFormatError when the text is none, or has no span
 */
export function readTrace(text: string): TraceTree {
  const found: ReturnType<typeof nodeOf>[] = [];
  for (const request of parseRequests(text)) {
    for (const { resource, scopeSpans = [] } of request.resourceSpans ?? []) {
      const of = plain(resource?.attributes);
      for (const { spans = [] } of scopeSpans) for (const span of spans) found.push(readSpan(span, of));
    }
  }
  if (found.length === 0)
    throw new TraceFormatError("it holds no spans; expected OTLP JSON, as --trace-file writes it");
  const byId = new Map(found.map(({ node }) => [node.spanId, node]));
  const roots: TraceNode[] = [];
  let orphanCount = 0;
  for (const { node, parent } of found) {
    const above = parent === "" ? undefined : byId.get(parent);
    if (above && above !== node) above.children.push(node);
    else roots.push(node);
    if (parent !== "" && !above) orphanCount++;
  }
  const byStart = (a: TraceNode, b: TraceNode): number => a.startMs - b.startMs;
  for (const { node } of found) node.children.sort(byStart);
  return { roots: roots.sort(byStart), spanCount: found.length, orphanCount };
}

function readSpan(span: OtlpSpan, resource: TraceAttributes): ReturnType<typeof nodeOf> {
  try {
    return nodeOf(span, resource);
  } catch (cause) {
    throw new TraceFormatError(`a span in it cannot be read: ${(cause as Error).message}`, { cause });
  }
}
