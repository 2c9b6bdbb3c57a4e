import { Stage } from "@ragline/contracts";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { emitTo } from "./run-events.js";
import { RunTimeline } from "./run-timeline.js";

interface Record {
  readonly period_seconds: number;
  readonly at_seconds: number[];
  readonly work: { stage: string; model: string; start_seconds: number; end_seconds: number | null; done: number[] }[];
  readonly memory: { name: string; bytes: number[] }[];
}

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const device = (usedBytes: number) => ({
  name: "cpu:0",
  kind: "cpu" as const,
  hardware: "",
  capBytes: 10,
  softLimitBytes: 8,
  grantedBytes: 5,
  waiting: 0,
  leases: [{ id: "a", fencingToken: 1, stage: "dense" as const, model: "bge", grantedBytes: 5, usedBytes, heldMs: 1 }],
});

test("works are told with their times, and how far they were at each sample", () => {
  const timeline = new RunTimeline({ devices: () => [device(3)] });
  const tell = emitTo((event) => timeline.note(event));
  const of = { collection: "docs", stage: Stage.DENSE, model: "bge", unit: "chunks" };
  vi.advanceTimersByTime(250);
  tell({ case: "stageStarted", value: { ...of, total: 0n } });
  tell({ case: "stageProgress", value: { ...of, done: 4n, total: 10n } });
  vi.advanceTimersByTime(250);
  // Another service goes on with it.
  tell({ case: "stageStarted", value: { ...of, total: 10n } });
  tell({ case: "stageProgress", value: { ...of, done: 8n, total: 10n } });
  vi.advanceTimersByTime(250);
  tell({ case: "stageFinished", value: { ...of, items: 10n, seconds: 1 } });
  tell({ case: "stageStarted", value: { ...of, stage: Stage.EXPORT, model: "", total: 0n } });
  timeline.close();
  const { work, memory, at_seconds: at } = timeline.record() as Record;
  expect(at).toEqual([0.25, 0.5, 0.75, 0.75]);
  expect(work).toMatchObject([
    { stage: "dense", model: "bge", start_seconds: 0.25, end_seconds: 0.75, done: [0, 4, 8, 10] },
    { stage: "export", model: "", start_seconds: 0.75, end_seconds: null, done: [0, 0, 0, 0] },
  ]);
  expect(memory.map(({ name }) => name)).toEqual(["orchestrator", "cpu:0 in use", "cpu:0 leased"]);
  expect(memory[1]?.bytes).toEqual([3, 3, 3, 3]);
});

test("however long a run takes, the samples stay few, spread over all of it, and keep the peaks", () => {
  let used = 1;
  const timeline = new RunTimeline({ devices: () => [device(used)] });
  vi.advanceTimersByTime(10_000);
  used = 100;
  vi.advanceTimersByTime(250);
  used = 1;
  vi.advanceTimersByTime(3_600_000);
  timeline.close();
  const { at_seconds: at, memory, period_seconds: period } = timeline.record() as Record;
  expect(at.length).toBeLessThanOrEqual(121);
  expect(at.length).toBeGreaterThan(60);
  expect(at.at(-1)).toBeCloseTo(3610.25, 0);
  expect(period).toBe(32);
  expect(at).toEqual([...at].sort((a, b) => a - b));
  for (const { bytes } of memory) expect(bytes).toHaveLength(at.length);
  expect(Math.max(...(memory[1]?.bytes ?? []))).toBe(100);
});

test("nothing is sampled once it is closed", () => {
  let asked = 0;
  const timeline = new RunTimeline({
    devices: () => {
      asked++;
      return [];
    },
  });
  timeline.close();
  vi.advanceTimersByTime(60_000);
  expect(asked).toBe(0);
});
