import { context, ROOT_CONTEXT, SpanStatusCode, trace } from "@opentelemetry/api";
import { startTracing } from "@ragline/telemetry";
import { beforeAll, expect, test } from "vitest";
import { BatchSpans, noteWork } from "./batch-spans.js";

type Tracing = Awaited<ReturnType<typeof startTracing>>;
let tracing: Tracing;
beforeAll(async () => {
  tracing = await startTracing({ serviceName: "ragline-test" });
  await tracing.enable();
});

interface Told {
  readonly name: string;
  readonly parentSpanId: string;
  readonly spanId: string;
  readonly status: { readonly code: number };
  readonly attributes: { readonly key: string; readonly value: Record<string, unknown> }[];
}

/** The spans that some work made below a stream's span. */
async function spansOf(work: (spans: BatchSpans) => Promise<void>): Promise<(Told & { service: string })[]> {
  const traceId = [...crypto.getRandomValues(new Uint8Array(16))]
    .map((byte) => byte.toString(16).padStart(2, "0"))
    .join("");
  const collector = await tracing.collect(traceId);
  const caller = trace.setSpanContext(ROOT_CONTEXT, {
    traceId,
    spanId: "b7ad6b7169203331",
    traceFlags: 1,
    isRemote: true,
  });
  const stream = trace.getTracer("test").startSpan("stream", {}, caller);
  const spans = new BatchSpans("dense", "a-model");
  await context.with(trace.setSpan(caller, stream), () => work(spans));
  spans.close();
  stream.end();
  const told: (Told & { service: string })[] = [];
  for (const message of await collector.drain()) {
    const { resourceSpans } = JSON.parse(Buffer.from(message).toString()) as {
      resourceSpans: { resource: { attributes: Told["attributes"] }; scopeSpans: { spans: Told[] }[] }[];
    };
    for (const { resource, scopeSpans } of resourceSpans) {
      const service = String(resource.attributes.find(({ key }) => key === "service.name")?.value["stringValue"]);
      for (const { spans: each } of scopeSpans) told.push(...each.map((span) => ({ ...span, service })));
    }
  }
  tracing.forget(collector);
  return told.filter(({ name }) => name !== "stream");
}

const attribute = (span: Told | undefined, key: string): unknown => {
  const value = span?.attributes.find((each) => each.key === key)?.value;
  return value && Object.values(value)[0];
};
const one = { items: 16, truncated: 1 };

test("each of the first batches is a span; what workers did is below it, as theirs", async () => {
  const told = await spansOf(async (spans) => {
    await spans.run(
      async () => {
        noteWork({ pid: 41, startedAtMs: Date.now(), seconds: 0.5, calls: 2, paddedTokens: 100 });
        noteWork({ pid: 41, startedAtMs: Date.now(), seconds: 0.25, calls: 1, paddedTokens: 20 });
        noteWork({ pid: 42, startedAtMs: Date.now(), seconds: 0.5, calls: 3, paddedTokens: 7 });
      },
      () => one,
    );
  });
  const batch = told.find(({ name }) => name === "rag.dense.batch");
  expect(attribute(batch, "rag.batch.items")).toBe(16);
  expect(attribute(batch, "gen_ai.request.model")).toBe("a-model");
  const workers = told.filter(({ name }) => name === "rag.dense.worker");
  expect(workers.map(({ parentSpanId, service }) => [parentSpanId, service])).toEqual([
    [batch?.spanId, "ragline-test-worker"],
    [batch?.spanId, "ragline-test-worker"],
  ]);
  expect(workers.map((worker) => attribute(worker, "rag.worker.calls"))).toEqual([3, 3]);
  expect(attribute(workers[0], "rag.worker.busy_seconds")).toBe(0.75);
});

test("a batch that fails makes its span one with an error", async () => {
  const told = await spansOf(async (spans) => {
    const failing = spans.run(
      () => Promise.reject(new Error("no")),
      () => one,
    );
    await expect(failing).rejects.toThrow("no");
  });
  expect(told.map(({ status }) => status.code)).toEqual([SpanStatusCode.ERROR]);
});

test("a long stream has few spans, and they stand for every batch", async () => {
  const batches = 60_000;
  const told = await spansOf(async (spans) => {
    for (let i = 0; i < batches; i++)
      await spans.run(
        async () => undefined,
        () => one,
      );
  });
  expect(told.length).toBeLessThan(1000);
  const counts = told.map((span) => Number(attribute(span, "rag.batch.count")));
  expect(counts.reduce((sum, count) => sum + count, 0)).toBe(batches);
  expect(told.reduce((sum, span) => sum + Number(attribute(span, "rag.batch.items")), 0)).toBe(16 * batches);
  expect(counts.slice(0, 128).every((count) => count === 1)).toBe(true);
});
