import { readFile } from "node:fs/promises";

interface OtlpAttribute {
  readonly key: string;
  readonly value: Readonly<Record<string, unknown>>;
}

interface OtlpSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly attributes?: readonly OtlpAttribute[];
  readonly events?: readonly { readonly name: string; readonly attributes?: readonly OtlpAttribute[] }[];
  readonly links?: readonly { readonly traceId: string; readonly spanId: string }[];
  readonly status?: { readonly code?: number; readonly message?: string };
}

/** A span as tests look at it. */
export interface TestSpan {
  readonly traceId: string;
  readonly spanId: string;
  /** Empty for one without a parent. */
  readonly parentSpanId: string;
  readonly name: string;
  readonly service: string;
  readonly pid: number;
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly events: readonly { readonly name: string; readonly attributes: Readonly<Record<string, unknown>> }[];
  readonly links: readonly { readonly traceId: string; readonly spanId: string }[];
  readonly isError: boolean;
}

const valuesOf = (attributes: readonly OtlpAttribute[] = []): Record<string, unknown> =>
  Object.fromEntries(attributes.map(({ key, value }) => [key, Object.values(value)[0]]));

/** The spans of OTLP requests in JSON. */
export function spansOf(...requests: readonly string[]): TestSpan[] {
  return requests.flatMap((json) => {
    const { resourceSpans } = JSON.parse(json) as {
      resourceSpans: { resource: { attributes: OtlpAttribute[] }; scopeSpans: { spans: OtlpSpan[] }[] }[];
    };
    return resourceSpans.flatMap(({ resource, scopeSpans }) => {
      const of = valuesOf(resource.attributes);
      return scopeSpans.flatMap(({ spans }) =>
        spans.map(({ traceId, spanId, parentSpanId = "", name, attributes, events = [], links = [], status }) => ({
          traceId,
          spanId,
          parentSpanId,
          name,
          service: String(of["service.name"]),
          pid: Number(of["process.pid"]),
          attributes: valuesOf(attributes),
          events: events.map((event) => ({ name: event.name, attributes: valuesOf(event.attributes) })),
          links: links.map((link) => ({ traceId: link.traceId, spanId: link.spanId })),
          isError: status?.code === 2,
        })),
      );
    });
  });
}

/** The spans of a trace file. */
export async function readSpans(path: string): Promise<TestSpan[]> {
  return spansOf(await readFile(path, "utf8"));
}
