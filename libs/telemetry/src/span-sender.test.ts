import type { ReadableSpan, SpanExporter } from "@opentelemetry/sdk-trace-node";
import { expect, onTestFinished, test, vi } from "vitest";
import { SpanSender } from "./span-sender.js";

const spans = (count: number): ReadableSpan[] =>
  Array.from({ length: count }, () => ({ name: "span" }) as ReadableSpan);

/** A sender whose collector answers as told; the first, empty request has been answered. */
async function setUp(answer: () => { code: number; error?: Error } | undefined, pauseMs = 60_000) {
  const sent: number[] = [];
  const exporter: SpanExporter = {
    export: (batch, done) => {
      sent.push(batch.length);
      const result = answer();
      if (result) done(result);
    },
    shutdown: async () => undefined,
  };
  const onFailed = vi.fn<(why: string) => void>();
  const onDropped = vi.fn<(count: number) => void>();
  const sender = new SpanSender({ exporter, onFailed, onDropped, maxWaiting: 600, pauseMs });
  await new Promise((resolve) => setImmediate(resolve));
  return { sender, sent, onFailed, onDropped };
}

test("spans are sent in batches, the last ones when it is closed", async () => {
  const { sender, sent, onFailed, onDropped } = await setUp(() => ({ code: 0 }));
  sender.take(spans(520));
  await new Promise((resolve) => setImmediate(resolve));
  sender.take(spans(3));
  await sender.close();
  expect(sent).toEqual([0, 512, 8, 3]);
  expect(onFailed).not.toHaveBeenCalled();
  expect(onDropped).not.toHaveBeenCalled();
});

test("a collector that cannot be reached is told once; nothing waits for it, at the end neither", async () => {
  const { sender, sent, onFailed, onDropped } = await setUp(() => ({ code: 1, error: new Error("refused") }));
  expect(onFailed.mock.calls).toEqual([["refused"]]);
  sender.take(spans(5));
  expect(onDropped.mock.calls).toEqual([[5]]);
  await sender.close();
  expect(sent).toEqual([0]);
});

test("after a while it is tried again", async () => {
  let isUp = false;
  const pauseMs = 10;
  const answer = () => (isUp ? { code: 0 } : { code: 1, error: new Error("refused") });
  const { sender, sent, onFailed } = await setUp(answer, pauseMs);
  isUp = true;
  await new Promise((resolve) => setTimeout(resolve, 2 * pauseMs));
  sender.take(spans(512));
  await new Promise((resolve) => setImmediate(resolve));
  expect(sent).toEqual([0, 512]);
  expect(onFailed).toHaveBeenCalledTimes(1);
});

test("while a collector is slow only so many wait; the others are counted", async () => {
  const { sender, onDropped } = await setUp(() => undefined);
  sender.take(spans(400));
  sender.take(spans(400));
  expect(onDropped.mock.calls).toEqual([[400]]);
});

test("a collector that never answers is not waited for at the end; what was not sent is counted", async () => {
  vi.useFakeTimers();
  onTestFinished(() => void vi.useRealTimers());
  const exporter = { export: () => undefined, shutdown: async () => undefined };
  const onDropped = vi.fn<(count: number) => void>();
  const sender = new SpanSender({ exporter, onFailed: () => undefined, onDropped });
  sender.take(spans(7));
  const closed = sender.close();
  await vi.advanceTimersByTimeAsync(2000);
  await closed;
  expect(onDropped.mock.calls).toEqual([[7]]);
});
