import { readFile } from "node:fs/promises";
import { readSpans, type TraceSpan } from "@ragline/telemetry";
import { expect } from "vitest";

/** The spans of a trace file, by their start. */
export async function readTraceFile(path: string): Promise<TraceSpan[]> {
  return readSpans(await readFile(path, "utf8")).sort((a, b) => a.startMs - b.startMs);
}

/** One trace below one root of that name, no parent missing, every link leading somewhere. */
export function expectWhole(spans: readonly TraceSpan[], root: string): void {
  const ids = new Set(spans.map(({ spanId }) => spanId));
  expect(ids.size).toBe(spans.length);
  expect(new Set(spans.map(({ traceId }) => traceId)).size).toBe(1);
  expect(spans.filter(({ parentSpanId }) => parentSpanId === "").map(({ name }) => name)).toEqual([root]);
  expect(spans.filter(({ parentSpanId }) => parentSpanId !== "" && !ids.has(parentSpanId))).toEqual([]);
  expect(spans.flatMap(({ links }) => links).filter(({ spanId }) => !ids.has(spanId))).toEqual([]);
}
