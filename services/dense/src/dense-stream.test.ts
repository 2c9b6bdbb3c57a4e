import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { OutcomeReason } from "@ragline/contracts";
import { embeddedModelsDir, ModelStore } from "@ragline/models";
import { isRunning } from "@ragline/processes";
import { status } from "@ragline/rpc";
import type { StageOptions } from "@ragline/stage";
import { noMetrics } from "@ragline/telemetry";
import { expect, onTestFinished, test, vi } from "vitest";
import { brief, DenseStream, failureOf, type RequestKind, startDense, watchWorkers } from "./dense-service.fixture.js";

const open: RequestKind = { case: "open", value: { model: "all-miniLM-l6" } };
const texts: RequestKind = { case: "texts", value: { texts: ["a"] } };
const empty = { case: undefined };
const longText = "a ".repeat(254);

test.each([
  ["an unknown model", "bge-huge"],
  ["a model of another stage", "splade-tiny"],
  ["no model", ""],
])("%s is not found, and those that are there are listed", async (_, model) => {
  const { client, broker } = await startDense();
  await expect(DenseStream.open(client, { model }).ready()).rejects.toMatchObject({
    code: status.NOT_FOUND,
    reason: "UNKNOWN_MODEL",
    message: expect.stringContaining(
      `"${model}" is no dense model of the registry; choose one of: bge-small-en-v1.5 (BAAI/bge-small-en-v1.5), ` +
        "all-miniLM-l6 (sentence-transformers/all-MiniLM-L6-v2), ",
    ),
  });
  expect(broker.events).toEqual([]);
});

test.each([
  ["texts before open", [texts], "OPEN_MISSING"],
  ["an empty first message", [empty, open], "OPEN_MISSING"],
  ["a second open", [open, texts, open], "UNEXPECTED_MESSAGE"],
  ["an empty later message", [open, empty], "UNEXPECTED_MESSAGE"],
])("%s is an invalid argument", async (_, messages, reason) => {
  const workers = watchWorkers();
  const { client, broker } = await startDense();
  const stream = new DenseStream(client);
  for (const message of messages) stream.send(message);
  const answers: (string | undefined)[] = [];
  const readAll = async () => {
    for (;;) answers.push((await stream.next()).case);
  };
  await expect(readAll()).rejects.toMatchObject({ code: status.INVALID_ARGUMENT, reason });
  expect(answers).toEqual(messages[0] === open ? ["ready", "vectors"].slice(0, messages.length - 1) : []);
  await expect.poll(() => broker.devices[0]?.grantedBytes).toBe(0);
  expect(workers()).toEqual([]);
});

test("two streams at once have the device one after the other, and both finish", async () => {
  const { client, broker } = await startDense();
  const first = DenseStream.open(client, {});
  await first.ready();
  const second = DenseStream.open(client, {});
  second.sendTexts("the same text");
  const secondReady = second.ready();
  await expect.poll(() => broker.devices[0]?.waiting).toBe(1);
  const { values } = await first.embed("the same text");
  expect(broker.devices[0]?.waiting).toBe(1);
  await first.end();
  expect((await secondReady).leaseWaitSeconds).toBeGreaterThan(0);
  expect((await second.vectors()).values).toEqual(values);
  expect((await second.end()).items).toBe(1n);
  const kinds = ["granted", "queued", "released", "granted", "released"];
  await expect.poll(() => broker.events.map(({ kind }) => kind).filter((kind) => kind !== "shrunk")).toEqual(kinds);
});

test.each(["opens the model", "waits for texts", "is in the middle of a batch"])(
  "a client who cancels while the service %s ends the workers at once and frees the device",
  async (state) => {
    const workers = watchWorkers();
    const observeBatch = vi.fn<() => void>();
    const { client, broker } = await startDense({ workers: 2, observer: { ...noMetrics, observeBatch } });
    const abort = new AbortController();
    const stream = DenseStream.open(client, {}, { signal: abort.signal });
    if (state !== "opens the model") await stream.ready();
    if (state === "is in the middle of a batch") stream.sendTexts(...Array<string>(1500).fill(longText));
    const failed = failureOf(stream.next());
    await expect.poll(() => workers()).toHaveLength(2);
    if (state === "is in the middle of a batch") await expect.poll(() => observeBatch).toHaveBeenCalled();
    const pids = workers();
    abort.abort();
    expect(await failed).toMatchObject({ code: status.CANCELLED });
    await expect.poll(() => pids.filter(isRunning)).toEqual([]);
    await expect.poll(() => broker.devices[0]).toMatchObject({ grantedBytes: 0, waiting: 0 });
    expect(broker.events.map(({ kind }) => kind).filter((kind) => kind !== "shrunk")).toEqual(["granted", "released"]);
  },
);

test("a client who cancels while it waits for the device leaves the line", async () => {
  const workers = watchWorkers();
  const { client, broker } = await startDense();
  const held = await broker.acquire({ stage: "dense", model: "other", bytes: 1 });
  const abort = new AbortController();
  const failed = failureOf(DenseStream.open(client, {}, { signal: abort.signal }).ready());
  await expect.poll(() => broker.devices[0]?.waiting).toBe(1);
  abort.abort();
  expect(await failed).toMatchObject({ code: status.CANCELLED });
  await expect.poll(() => broker.devices[0]?.waiting).toBe(0);
  held.release();
  expect(broker.devices[0]?.grantedBytes).toBe(0);
  expect(workers()).toEqual([]);
});

test("a worker that is killed in the middle of a batch costs nothing but time", async () => {
  const workers = watchWorkers();
  const observeBatch = vi.fn<() => void>();
  const onWorkerLost = vi.fn<NonNullable<StageOptions["onWorkerLost"]>>();
  const { client } = await startDense({ workers: 2, onWorkerLost, observer: { ...noMetrics, observeBatch } });
  const stream = DenseStream.open(client, {});
  await stream.ready();
  const batch = Array.from({ length: 40 }, (_, i) => `text ${i} ${longText.slice(0, 8 * i)}`);
  const undisturbed = await stream.embed(...batch);
  stream.sendTexts(...batch);
  await expect.poll(() => observeBatch.mock.calls.length, { interval: 1 }).toBeGreaterThan(batch.length);
  const [victim = 0] = workers();
  process.kill(victim, "SIGKILL");
  const { values } = await stream.vectors();
  expect(Buffer.compare(values, undisturbed.values)).toBe(0);
  const summary = await stream.end();
  expect(summary).toMatchObject({ items: 80n, workersLost: 1 });
  expect(summary.outcomes.map(brief)).toEqual([{ reason: OutcomeReason.WORKER_LOST, count: 1n, degraded: false }]);
  const detail = { model: "all-miniLM-l6", pid: victim, signal: "SIGKILL", code: null };
  expect(onWorkerLost.mock.calls).toEqual([[detail]]);
});

test("a model file with one flipped bit is named, and no lease is asked for", async () => {
  const modelsDir = mkdtempSync(join(tmpdir(), "ragline-models-"));
  onTestFinished(() => rmSync(modelsDir, { recursive: true }));
  const [original, damaged] = [embeddedModelsDir, modelsDir].map((path) => join(path, "all-MiniLM-L6-v2"));
  if (!original || !damaged) throw new Error("no folder");
  mkdirSync(damaged);
  for (const name of readdirSync(original)) symlinkSync(join(original, name), join(damaged, name));
  const weights = readFileSync(join(original, "weights.bin"));
  weights[12_345] = (weights[12_345] ?? 0) ^ 1;
  rmSync(join(damaged, "weights.bin"));
  writeFileSync(join(damaged, "weights.bin"), weights);
  const { client, broker } = await startDense({ models: new ModelStore({ modelsDir }) });
  await expect(DenseStream.open(client, {}).ready()).rejects.toMatchObject({
    code: status.FAILED_PRECONDITION,
    reason: "MODEL_FILES",
    message: expect.stringContaining(`${join(damaged, "weights.bin")} has sha256`),
  });
  expect(broker.events).toEqual([]);
});

test("a service that is asked to drain finishes the stream that runs and refuses new ones", async () => {
  const workers = watchWorkers();
  const { client, service } = await startDense();
  const stream = DenseStream.open(client, {});
  await stream.ready();
  const drained = service.drain(20_000);
  const refused = { code: status.UNAVAILABLE, reason: "SHUTTING_DOWN" };
  await expect(DenseStream.open(client, {}).ready()).rejects.toMatchObject(refused);
  expect((await stream.embed("still", "here")).rows).toBe(2);
  expect((await stream.end()).items).toBe(2n);
  await drained;
  expect(workers()).toEqual([]);
});

test("a stream that only waits is ended when the grace time is over", async () => {
  const workers = watchWorkers();
  const { client, service } = await startDense();
  const stream = DenseStream.open(client, {});
  await stream.ready();
  const failed = failureOf(stream.next());
  await service.drain(50);
  expect(await failed).toMatchObject({ code: status.UNAVAILABLE, reason: "SHUTTING_DOWN" });
  expect(workers()).toEqual([]);
});
