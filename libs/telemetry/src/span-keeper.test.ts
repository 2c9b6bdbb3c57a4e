import { type Context, context, ROOT_CONTEXT, type SpanContext, TraceFlags, trace } from "@opentelemetry/api";
import { NodeTracerProvider, type ReadableSpan } from "@opentelemetry/sdk-trace-node";
import { expect, test } from "vitest";
import { SpanKeeper } from "./span-keeper.js";

/** A tracer over a keeper, with what was handed on, a list of names for each time. */
function setUp(maxSpansPerTree?: number) {
  let dropped = 0;
  const keeper = new SpanKeeper(() => dropped++, maxSpansPerTree);
  const handedOn: string[][] = [];
  keeper.sinks.add({ take: (spans: readonly ReadableSpan[]) => void handedOn.push(spans.map(({ name }) => name)) });
  const tracer = new NodeTracerProvider({ spanProcessors: [keeper] }).getTracer("test");
  const start = (name: string, parent: Context = ROOT_CONTEXT) => {
    const span = tracer.startSpan(name, {}, parent);
    return { span, below: trace.setSpan(parent, span) };
  };
  return { keeper, handedOn, start, dropped: () => dropped };
}

const remote: SpanContext = {
  traceId: "0af7651916cd43dd8448eb211c80319c",
  spanId: "b7ad6b7169203331",
  traceFlags: TraceFlags.SAMPLED,
  isRemote: true,
};

test("spans wait for the topmost one of their process", () => {
  const { handedOn, start } = setUp();
  const top = start("top", trace.setSpanContext(context.active(), remote));
  const child = start("child", top.below);
  start("grandchild", child.below).span.end();
  child.span.end();
  expect(handedOn).toEqual([]);
  top.span.end();
  expect(handedOn).toEqual([["grandchild", "child", "top"]]);
});

test("a span that ends after the topmost one is handed on at once, and two trees do not wait for each other", () => {
  const { handedOn, start, keeper } = setUp();
  const [one, other] = [start("one"), start("other")];
  const late = start("late", one.below);
  one.span.end();
  expect(handedOn).toEqual([["one"]]);
  late.span.end();
  expect(handedOn).toEqual([["one"], ["late"]]);
  expect(keeper.hasOpen(other.span.spanContext().traceId)).toBe(true);
  other.span.end();
  expect(keeper.hasOpen(other.span.spanContext().traceId)).toBe(false);
});

test("beyond the limit spans are dropped with all below them, and counted", () => {
  const { handedOn, start, dropped } = setUp(2);
  const top = start("top");
  start("kept", top.below).span.end();
  const tooMany = start("too many", top.below);
  start("below it", tooMany.below).span.end();
  tooMany.span.end();
  top.span.end();
  expect(handedOn).toEqual([["kept", "top"]]);
  expect(dropped()).toBe(2);
});

test("what has ended can be had before the topmost span has", () => {
  const { handedOn, start, keeper } = setUp();
  const top = start("top");
  start("child", top.below).span.end();
  keeper.release(top.span.spanContext().traceId);
  top.span.end();
  expect(handedOn).toEqual([["child"], ["top"]]);
});
