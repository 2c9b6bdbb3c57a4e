import { setTimeout as sleep } from "node:timers/promises";
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import {
  LeaseEvent_Kind,
  LeaseService,
  OutcomeReason,
  OutcomeSource,
  Precision,
  Stage,
  StageOpenSchema,
} from "@ragline/contracts";
import { type Lease, LeaseBroker, type LeaseSource, leaseHandlers } from "@ragline/gpu-lease";
import { DenseEncoder, SparseEncoder } from "@ragline/inference";
import { type ChildWatch, watchChildren } from "@ragline/processes";
import { createServer, implementation, listen, RaglineError, serviceDefinition, status } from "@ragline/rpc";
import { expect, onTestFinished, test, vi } from "vitest";
import {
  openStage,
  type StageObserver,
  type StageOptions,
  type StageSession,
  streamBatches,
  summarise,
  TokenQueue,
} from "./index.js";

const cpu = [{ name: "cpu:0", kind: "cpu" }] as const;
const noObserver: StageObserver = {
  observeLatency() {},
  observeBatch() {},
  countChunks() {},
  countResize() {},
  countOutOfMemory() {},
  recordPeakBytes() {},
  addUsedBytes() {},
  addLeaseBytes() {},
  observeLeaseWait() {},
  countLostLease() {},
};

interface Setup extends Partial<StageOptions> {
  readonly signal?: AbortSignal;
  readonly open?: MessageInitShape<typeof StageOpenSchema>;
}

function openModel(
  kind: Parameters<typeof openStage>[0],
  model: string,
  { open, signal = new AbortController().signal, ...options }: Setup = {},
): Promise<StageSession> {
  const message = create(StageOpenSchema, { model, precision: Precision.INT8, ...open });
  const queue = new TokenQueue({ maxTokens: 1e6 });
  const defaults = { leases: new LeaseBroker({ devices: cpu }), workers: 1, observer: noObserver, queue };
  const stage = openStage(kind, message, { ...defaults, ...options }, signal);
  onTestFinished(() =>
    stage.then(
      (opened) => opened.close(),
      () => undefined,
    ),
  );
  return stage;
}

const openSplade = (setup: Setup = {}): Promise<StageSession> => openModel(Stage.SPARSE, "splade-tiny", setup);

/** A larger model, so that a batch takes long to compute and not long to tokenise. */
const openMiniLm = (setup: Setup): Promise<StageSession> =>
  openModel(Stage.DENSE, "all-miniLM-l6", { ...setup, open: { precision: Precision.FP32 } });

/** The stream that a service would make: the number of rows of each batch. */
function encodeAll(stage: StageSession, batches: AsyncIterable<string[]>): AsyncGenerator<number> {
  const Encoder = stage.entry.stage === "dense" ? DenseEncoder : SparseEncoder;
  const encoder = new Encoder(stage.session, stage.tokenizer);
  const textsOf = (texts: string[]) => texts;
  return streamBatches(stage, batches, textsOf, async (texts) => {
    const { truncated } = await encoder.encode(texts, "passage");
    return { reply: texts.length, items: texts.length, truncated: truncated.length };
  });
}

async function* batchesOf(...batches: string[][]): AsyncGenerator<string[]> {
  yield* batches;
}

async function* oneThenNone(batch: string[]): AsyncGenerator<string[]> {
  yield batch;
  await new Promise(() => undefined);
}

/** The child processes that live, of those started from now on. */
function watched(): ChildWatch["living"] {
  const children = watchChildren();
  onTestFinished(() => children.stop());
  return children.living;
}

const oneCpu: LeaseSource["describe"] = () => new LeaseBroker({ devices: cpu }).describe();

/** A source whose one lease counts how often it is given back, and can be taken back. */
function countedLease() {
  const revocation = new AbortController();
  const release = vi.fn<() => void>();
  const reportUsage = vi.fn<(bytes: number) => void>();
  const what = { id: "lease-1", fencingToken: 1, device: "cpu:0", deviceKind: "cpu", deviceOptions: {} } as const;
  const ignored = { onShrink: () => undefined, shrunk: () => undefined };
  const lease = {
    ...what,
    ...ignored,
    bytes: 12e9,
    deviceCapBytes: 12e9,
    softLimitBytes: 1e10,
    waitMs: 250,
    revoked: revocation.signal,
  };
  let granted = 0;
  const acquire = async (): Promise<Lease> => {
    if (granted++ > 0) throw new RaglineError("FAILED_PRECONDITION", "LEASE_NO_DEVICE", "the one device is taken");
    return { ...lease, reportUsage, release };
  };
  const leases: LeaseSource = { acquire, describe: oneCpu };
  return { leases, release, reportUsage, revoke: () => revocation.abort(new Error("another needs it")) };
}

/** What the promise is rejected with. */
function failureOf(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => "it did not fail",
    (error: unknown) => error,
  );
}

const longBatch = Array<string>(400).fill("a ".repeat(254));
const revoked = {
  code: status.ABORTED,
  reason: "LEASE_REVOKED",
  message: expect.stringMatching(/^the lease of .+ was lost and no other could be had .+run again/),
};

test("an open stage says what computes, where, under which lease and from which files", async () => {
  const { leases } = countedLease();
  const { ready } = await openSplade({ leases, workers: 2, threadsPerWorker: 3 });
  expect(ready).toMatchObject({
    model: "splade-tiny",
    huggingFaceId: "ragline/splade-tiny",
    precision: Precision.INT8,
    device: "cpu:0",
    workers: 2,
    threadsPerWorker: 3,
    maxTokens: 512,
    dimension: 30522,
    leaseId: "lease-1",
    leaseWaitSeconds: 0.25,
    license: "Apache-2.0",
    runtime: expect.stringMatching(/^onnxruntime-node \d/),
  });
  expect(ready.hydrateSeconds).toBeGreaterThan(0);
});

test.each([
  [Stage.DENSE, "splade-tiny", status.NOT_FOUND, "UNKNOWN_MODEL"],
  [Stage.SPARSE, "no-such-model", status.NOT_FOUND, "UNKNOWN_MODEL"],
  [Stage.SPARSE, "qdrant-bm25", status.INVALID_ARGUMENT, "NO_GRAPH"],
] as const)("of stage %i a model %s is refused before a lease is asked for", async (stage, model, code, reason) => {
  const acquire = vi.fn<LeaseSource["acquire"]>();
  const options = {
    leases: { acquire, describe: oneCpu },
    observer: noObserver,
    queue: new TokenQueue({ maxTokens: 1 }),
  };
  const { signal } = new AbortController();
  const refused = openStage(stage, create(StageOpenSchema, { model }), options, signal);
  await expect(refused).rejects.toMatchObject({ code, reason });
  expect(acquire).not.toHaveBeenCalled();
});

test("the observer is told of every batch, every call of the model, what was cut, and the peak", async () => {
  const observer = {
    ...noObserver,
    observeLatency: vi.fn<(seconds: number) => void>(),
    observeBatch: vi.fn<(items: number, tokens: number) => void>(),
    countChunks: vi.fn<(outcome: string, count: number) => void>(),
    countResize: vi.fn<(direction: string) => void>(),
    recordPeakBytes: vi.fn<(device: string, bytes: number) => void>(),
  };
  const stage = await openSplade({ observer, open: { precision: Precision.FP32, maxBatchTokens: 64 } });
  const texts = ["a a a", "a a", "a ".repeat(20), "a ".repeat(600)];
  const replies: number[] = [];
  for await (const rows of encodeAll(stage, batchesOf(texts, ["a"]))) replies.push(rows);
  const summary = summarise(stage);
  expect(replies).toEqual([4, 1]);
  expect(observer.observeBatch.mock.calls).toEqual([
    [2, 16],
    [1, 24],
    [1, 512],
    [1, 8],
  ]);
  expect(observer.observeLatency).toHaveBeenCalledTimes(2);
  for (const [seconds] of observer.observeLatency.mock.calls) expect(seconds).toBeGreaterThan(0);
  expect(observer.countChunks.mock.calls).toEqual([
    ["ok", 3],
    ["truncated", 1],
    ["ok", 1],
  ]);
  expect(observer.recordPeakBytes.mock.calls).toEqual([["cpu:0", Number(summary.peakBytes)]]);
  expect(summary).toMatchObject({ items: 5n, batches: 4n, tokens: 546n, paddedTokens: 560n, truncated: 1n });
  expect(summary.peakBytes).toBeGreaterThan(10n ** 7n);
});

test("where every second call runs out of memory each text has its result all the same", async () => {
  const options = { tightBytes: 1, tightEvery: 2 };
  const devices = [0, 1].map((i) => ({ name: `simulated:${i}`, kind: "simulated", options }) as const);
  const stage = await openSplade({ leases: new LeaseBroker({ devices }) });
  const encoder = new SparseEncoder(stage.session, stage.tokenizer);
  const texts = ["a lease", "is an open stream", "a ".repeat(600), "of its own"];
  const { rows, failures } = await encoder.encode(texts, "passage");
  const calm = await openSplade();
  expect(rows).toEqual((await new SparseEncoder(calm.session, calm.tokenizer).encode(texts, "passage")).rows);
  expect(failures).toEqual([]);
  expect(stage.session.stats.outOfMemory).toBeGreaterThan(1);
});

test.each([
  ["alone", 0, ["s:0", "s:1", "s:2"]],
  ["beside another model", 2, ["s:0", "s:1"]],
])("a model %s takes its share of the devices, and gives all back", async (_, sideBySide, names) => {
  const devices = [0, 1, 2].map((i) => ({ name: `s:${i}`, kind: "simulated" }) as const);
  const broker = new LeaseBroker({ devices });
  const stage = await openSplade({ leases: broker, open: { sideBySide } });
  const held = () => broker.devices.filter(({ leases }) => leases.length > 0).map(({ name }) => name);
  await expect.poll(() => stage.session.pids).toHaveLength(names.length);
  expect(held()).toEqual(names);
  expect(stage.ready).toMatchObject({ device: "s:0", deviceKind: "simulated" });
  await stage.close();
  expect(held()).toEqual([]);
  const { leaseEvents = [] } = summarise(stage);
  expect(leaseEvents.map(({ kind }) => kind).filter((kind) => kind === LeaseEvent_Kind.GRANTED)).toHaveLength(
    names.length,
  );
});

test("a device that was asked for and is not there is told in the summary", async () => {
  const detail = "cuda:3 was asked for and is not there";
  const fallbacks = [{ requested: "cuda:3", resolved: "cpu:0", source: "cli", degraded: true, detail } as const];
  const stage = await openSplade({ leases: new LeaseBroker({ devices: cpu, fallbacks }) });
  const [outcome] = summarise(stage).outcomes ?? [];
  expect(outcome).toMatchObject({
    stage: Stage.SPARSE,
    reason: OutcomeReason.DEVICE_UNAVAILABLE,
    source: OutcomeSource.CLI,
    degraded: true,
    detail,
  });
});

test("a lease is released once, after the workers are gone, however often the session is closed", async () => {
  const living = watched();
  const { leases, release, reportUsage } = countedLease();
  const livingAtRelease: number[] = [];
  release.mockImplementation(() => void livingAtRelease.push(living().length));
  const stage = await openSplade({ leases, workers: 2 });
  expect(living()).toHaveLength(2);
  expect(reportUsage).toHaveBeenCalledWith(expect.toSatisfy((bytes: number) => bytes > 10 ** 7));
  await Promise.all([stage.close(), stage.close()]);
  await stage.close();
  expect(livingAtRelease).toEqual([0]);
});

test.each([0, 20])("a caller who goes while the model is opened (after %i ms) leaves nothing", async (ms) => {
  const living = watched();
  const { leases, release } = countedLease();
  const abort = new AbortController();
  const opening = openSplade({ leases, workers: 2, signal: abort.signal });
  const failed = failureOf(opening);
  await expect.poll(() => living()).toHaveLength(2);
  await sleep(ms);
  abort.abort(new Error("gone"));
  expect(await failed).toMatchObject({ message: "gone" });
  expect(living()).toEqual([]);
  expect(release).toHaveBeenCalledOnce();
});

test("a caller who goes while a lease is waited for leaves the line", async () => {
  const living = watched();
  const leases = new LeaseBroker({ devices: cpu });
  const held = await leases.acquire({ stage: "dense", model: "other", bytes: 1 });
  const abort = new AbortController();
  const failed = failureOf(openSplade({ leases, signal: abort.signal }));
  await expect.poll(() => leases.devices[0]?.waiting).toBe(1);
  abort.abort(new Error("gone"));
  expect(await failed).toMatchObject({ message: "gone" });
  expect(leases.devices[0]?.waiting).toBe(0);
  held.release();
  expect(leases.devices[0]?.grantedBytes).toBe(0);
  expect(living()).toEqual([]);
});

test("a model whose workers cannot start gives its lease back", async () => {
  const { leases, release } = countedLease();
  const { execPath } = process;
  process.execPath = "/nowhere/node";
  onTestFinished(() => {
    process.execPath = execPath;
  });
  await expect(openSplade({ leases })).rejects.toMatchObject({ code: status.UNAVAILABLE, reason: "WORKER_LOST" });
  expect(release).toHaveBeenCalledOnce();
});

test("a lease that is revoked while the model is opened ends that", async () => {
  const living = watched();
  const { leases, release, revoke } = countedLease();
  const failed = failureOf(openSplade({ leases }));
  await expect.poll(() => living()).toHaveLength(1);
  revoke();
  expect(await failed).toMatchObject(revoked);
  expect(living()).toEqual([]);
  expect(release).toHaveBeenCalledOnce();
});

test.each([
  ["waits for a request", ["a"], 1],
  ["is in a long batch", longBatch, 0],
])("a lease that is revoked while the stream %s ends it at once, and is free", async (_, batch, answered) => {
  const living = watched();
  const { leases, release, revoke } = countedLease();
  const stage = await openMiniLm({ leases });
  const replies = encodeAll(stage, oneThenNone(batch));
  for (let i = 0; i < answered; i++) expect((await replies.next()).done).toBe(false);
  const failed = failureOf(replies.next());
  await sleep(20);
  revoke();
  expect(await failed).toMatchObject(revoked);
  await stage.close();
  expect(living()).toEqual([]);
  expect(release).toHaveBeenCalledOnce();
});

test("a caller who goes in a long batch ends the workers at once", async () => {
  const living = watched();
  const { leases, release } = countedLease();
  const abort = new AbortController();
  const stage = await openMiniLm({ leases, signal: abort.signal });
  const replies = encodeAll(stage, oneThenNone(longBatch));
  const failed = failureOf(replies.next());
  await sleep(20);
  abort.abort(new Error("gone"));
  expect(await failed).toMatchObject({ message: "gone" });
  await expect.poll(() => release).toHaveBeenCalledOnce();
  expect(living()).toEqual([]);
});

async function serveBroker() {
  const broker = new LeaseBroker({ devices: [{ name: "gpu:7", kind: "simulated" }] });
  const server = createServer();
  server.addService(serviceDefinition(LeaseService), implementation(LeaseService, leaseHandlers(broker)));
  const address = await listen(server, "127.0.0.1:0");
  onTestFinished(() => server.forceShutdown());
  return { broker, address, server };
}

test("the caller's broker grants the device, and its loss ends the stream", async () => {
  const { broker, address, server } = await serveBroker();
  const stage = await openSplade({ open: { leaseBroker: address, leaseWaitMs: 300 } });
  expect(stage.ready).toMatchObject({ device: "gpu:7", leaseId: broker.events[0]?.leaseId });
  const replies = encodeAll(stage, oneThenNone(["a"]));
  await replies.next();
  const failed = failureOf(replies.next());
  server.forceShutdown();
  expect(await failed).toMatchObject({ code: status.ABORTED, reason: "LEASE_REVOKED" });
  await stage.close();
  expect(stage.session.pids).toEqual([]);
});

test("a lease that the broker takes back is asked for again, and the work goes on under the new one", async () => {
  const { broker, address } = await serveBroker();
  const stage = await openSplade({ open: { leaseBroker: address } });
  const replies = encodeAll(stage, batchesOf(["a"], ["b"]));
  await replies.next();
  const before = broker.devices[0]?.leases[0];
  broker.revoke(before?.id ?? "", "another run goes first");
  await expect.poll(() => broker.devices[0]?.leases[0]?.fencingToken).toBe(2);
  expect(await replies.next()).toEqual({ done: false, value: 1 });
  expect(broker.events.find(({ kind }) => kind === "released")?.peakBytes).toBeGreaterThan(10 ** 6);
  expect(summarise(stage)).toMatchObject({ leasesLost: 1, workersLost: 0 });
});

test("a broker that is not there is named", async () => {
  await expect(openSplade({ open: { leaseBroker: "127.0.0.1:1", leaseWaitMs: 100 } })).rejects.toMatchObject({
    code: status.UNAVAILABLE,
    reason: "NOT_REACHABLE",
    message: expect.stringContaining("lease broker at 127.0.0.1:1"),
  });
});
