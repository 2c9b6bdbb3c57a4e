import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { expect, onTestFinished, test } from "vitest";
import { calibrateMemory } from "./calibrate-memory.js";
import { callBytes, estimateMemory, tokensWithin, workerBytes } from "./memory-model.js";
import { MemoryModelStore } from "./memory-model-store.js";
import { parseSimulatedOptions, SimulatedDevice } from "./simulated-device.js";

const model = {
  loadedBytes: 1e8,
  buckets: [
    { columns: 32, bytesPerToken: 1000 },
    { columns: 512, bytesPerToken: 3000 },
  ],
};
const key = { graphSha256: "ab".repeat(32), deviceKind: "cpu", runtime: "int8 1/2", threads: 1 };

test.each([
  [4, 32, 1.2 * 4 * 32 * 1000],
  [4, 33, 1.2 * 4 * 33 * 3000],
  [1, 1024, 1.2 * 1024 * 6000],
])("%i rows of %i tokens need the bytes of the next measured length", (rows, columns, bytes) => {
  expect(callBytes(model, rows, columns)).toBeCloseTo(bytes);
});

test("what fits into a worker's share is what the worker asked for", () => {
  const sizes = fc.record({ columns: fc.integer({ min: 1, max: 2048 }), rows: fc.integer({ min: 1, max: 64 }) });
  fc.assert(
    fc.property(sizes, ({ columns, rows }) => {
      const asked = Math.ceil(workerBytes(model, columns, rows * columns));
      expect(tokensWithin(model, asked, columns)).toBeGreaterThanOrEqual(rows * columns);
      expect(tokensWithin(model, asked - 1e8, columns)).toBeLessThan(rows * columns);
    }),
    { seed: 3 },
  );
  expect(tokensWithin(model, 0, 512)).toBe(0);
});

test("a calibration has what each length needed, and survives memory that does not move", async () => {
  const setUpBytes = 5e7;
  const measured = await calibrateMemory(
    async ({ columns }) => ({ peakBytes: 1e8 + setUpBytes + (columns > 8 ? columns * columns * 100 : 0) }),
    { loadedBytes: 1e8, maxTokens: 256 },
  );
  expect(measured.loadedBytes).toBe(1e8 + setUpBytes);
  expect(measured.buckets).toEqual([32, 128, 256].map((columns) => ({ columns, bytesPerToken: columns * 100 })));
  const still = await calibrateMemory(async () => ({ peakBytes: 1e8 }), { loadedBytes: 1e8, maxTokens: 512 });
  expect(still.buckets.every(({ bytesPerToken }) => bytesPerToken > 0)).toBe(true);
});

test("a model's own margin is kept for every call", async () => {
  const options = { loadedBytes: 1e8, maxTokens: 512, probeTokens: 4096, margin: 1 };
  const measured = await calibrateMemory(
    async ({ rows, columns }) => ({ peakBytes: 1e8 + (columns > 8 ? rows * columns * 2000 : 0) }),
    options,
  );
  expect(measured).toMatchObject({ margin: 1, buckets: [{ columns: 32, bytesPerToken: 2000 }, {}, {}] });
  expect(callBytes(measured, 4, 512)).toBe(2 * 4 * 512 * 2000);
});

test("a guess grows with the graph, and a GPU's has the runtime's own context", () => {
  const of = (graphBytes: number, kind: "cpu" | "cuda") => estimateMemory({ graphBytes, maxTokens: 512, kind });
  expect(of(2e8, "cpu").loadedBytes).toBeGreaterThan(of(1e8, "cpu").loadedBytes);
  expect(of(1e8, "cuda").loadedBytes).toBeGreaterThan(of(1e8, "cpu").loadedBytes);
});

test("a measured model is kept in one file; a damaged one, or none, is measured again", async () => {
  const directory = mkdtempSync(join(tmpdir(), "ragline-memory-"));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  const store = new MemoryModelStore(join(directory, "models"));
  expect(await store.read(key)).toBeUndefined();
  expect(await Promise.all([store.write(key, model), store.write(key, model)])).toEqual([true, true]);
  expect(await store.read(key)).toEqual(model);
  const [file = "", ...others] = readdirSync(join(directory, "models"));
  expect([file, others]).toEqual(["abababababababab-cpu-int8_1_2-t1.json", []]);
  for (const text of ["", "{}", '{"version":2,"memory":{"loadedBytes":-1,"buckets":[]}}', '{"version":1}']) {
    writeFileSync(join(directory, "models", file), text);
    expect(await store.read(key)).toBeUndefined();
  }
  expect(await new MemoryModelStore(join(directory, "models", file)).write(key, model)).toBe(false);
});

test("a simulated device is a ledger that runs out of memory", () => {
  const device = new SimulatedDevice({ bytes: 1000, weightsBytes: 400, bytesPerToken: 10 });
  const free = device.reserve(50);
  expect(() => device.reserve(20)).toThrow("out of memory: 200 bytes needed, 100 free");
  expect(device.usedBytes).toBe(900);
  free();
  expect([device.usedBytes, device.peakBytes]).toEqual([400, 900]);
});

test("another tenant takes memory in every n-th call", () => {
  const options = parseSimulatedOptions({ bytes: 1000, bytesPerToken: 10, tightBytes: 100, tightEvery: 2, other: "x" });
  const device = new SimulatedDevice(options);
  const outcomes = Array.from({ length: 4 }, () => {
    try {
      device.reserve(50)();
      return "fits";
    } catch {
      return "out of memory";
    }
  });
  expect(outcomes).toEqual(["fits", "out of memory", "fits", "out of memory"]);
  expect(() => parseSimulatedOptions({})).toThrow("bytes is missing");
  expect(() => parseSimulatedOptions({ bytes: "1" })).toThrow("bytes is not a number");
});
