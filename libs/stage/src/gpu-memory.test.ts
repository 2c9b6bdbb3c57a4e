import { expect, onTestFinished, test } from "vitest";
import { GpuMemory } from "./gpu-memory.js";

/** A driver with one GPU whose use and processes a test sets. */
async function driver(processes: { pid: number; uuid: string; usedBytes: number }[], isSilent = false) {
  const state = { usedBytes: 100, processes, fails: false };
  const ask = async <Answer>(answer: Answer): Promise<Answer> => {
    if (state.fails) throw new Error("the driver is busy");
    return answer;
  };
  const gpu = { index: 0, uuid: "GPU-a", name: "T4", totalBytes: 1000 };
  const smi = {
    gpus: () => ask([{ ...gpu, usedBytes: state.usedBytes }]),
    processes: () => ask(state.processes),
    maxAgeMs: 1,
  };
  state.fails = isSilent;
  const memory = await GpuMemory.begin("GPU-a", smi);
  onTestFinished(() => memory.close());
  return { state, memory };
}

test("the workers' own memory is told where the driver knows their processes", async () => {
  const { memory } = await driver([
    { pid: 7, uuid: "GPU-a", usedBytes: 30 },
    { pid: 8, uuid: "GPU-a", usedBytes: 12 },
    { pid: 7, uuid: "GPU-b", usedBytes: 500 },
    { pid: 9, uuid: "GPU-a", usedBytes: 600 },
  ]);
  expect(memory.usedBy([7, 8])).toBe(42);
});

test("a driver that does not answer at first is asked again", async () => {
  const { state, memory } = await driver([{ pid: 7, uuid: "GPU-a", usedBytes: 30 }], true);
  expect(memory.usedBy([7])).toBeUndefined();
  state.fails = false;
  await expect.poll(() => memory.usedBy([7])).toBe(30);
});

test("where it knows none, what the GPU uses more than at first is taken for theirs", async () => {
  const { state, memory } = await driver([]);
  expect(memory.usedBy([7])).toBe(0);
  state.usedBytes = 350;
  expect(await memory.measure([7])).toBe(250);
  state.fails = true;
  state.usedBytes = 900;
  expect(memory.usedBy([7])).toBe(250);
});
