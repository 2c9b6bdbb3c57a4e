import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { findModel, hasGraph, verifyModel } from "@ragline/models";
import { type ChildWatch, watchChildren } from "@ragline/processes";
import type { TokenSequence } from "@ragline/tokenizer";
import { expect, onTestFinished, test, vi } from "vitest";
import { ModelSession, type OpenSessionOptions } from "./index.js";
import type { WorkerFaults } from "./worker-faults.fixture.js";

async function open(options: Partial<OpenSessionOptions> = {}): Promise<ModelSession> {
  const entry = findModel("splade-tiny", "sparse");
  if (!hasGraph(entry)) throw new Error("splade-tiny has no graph");
  const session = await ModelSession.open(await verifyModel(entry, "int8"), { workers: 1, ...options });
  onTestFinished(() => session.close());
  return session;
}

/** Child processes started from now on to the end of the test. */
function watched(): ChildWatch {
  const children = watchChildren();
  onTestFinished(() => children.stop());
  return children;
}

/** Makes worker processes that start from now on die as told; returns how many have started. */
function injectFaults(faults: Omit<WorkerFaults, "startsFile">): () => number {
  const folder = mkdtempSync(join(tmpdir(), "ragline-faults-"));
  const startsFile = join(folder, "starts");
  vi.stubEnv("NODE_OPTIONS", `--import=${new URL("../dist/worker-faults.fixture.js", import.meta.url).href}`);
  vi.stubEnv("WORKER_FAULTS", JSON.stringify({ ...faults, startsFile } satisfies WorkerFaults));
  onTestFinished(() => {
    vi.unstubAllEnvs();
    rmSync(folder, { recursive: true });
  });
  return () => readFileSync(startsFile).length;
}

/** No process can be started any more, as when the system has too many. */
function forbidProcesses(): void {
  const { execPath } = process;
  process.execPath = "/nowhere/node";
  onTestFinished(() => {
    process.execPath = execPath;
  });
}

/** What the promise is rejected with. */
function failureOf(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => "it did not fail",
    (error: unknown) => error,
  );
}

const deadlyToken = 30_521;
const sequence = (...ids: number[]): TokenSequence => ({ ids: Int32Array.of(101, ...ids, 102), truncated: false });
const long = sequence(...Array.from({ length: 500 }, (_, i) => 2000 + i));

/** The rows that each of the sequences gives, in one run of its own. */
function runEach(session: ModelSession, sequences: readonly TokenSequence[]): Promise<unknown>[] {
  return sequences.map(async (each) => {
    let got: unknown;
    await session.run([each], (result) => {
      got = result;
    });
    return got;
  });
}

test("texts of which every worker dies are given up after the third; their neighbours are computed all the same", async () => {
  injectFaults({ deadlyToken });
  const session = await open();
  const neighbours = [sequence(2000), sequence(2001), sequence(2002), sequence(2003)];
  const alone = await Promise.all(runEach(session, neighbours));
  const [before, after] = [neighbours.slice(0, 2), neighbours.slice(2)];
  const outcomes = await Promise.allSettled(runEach(session, [...before, sequence(deadlyToken), ...after]));
  expect(outcomes.filter((_, i) => i !== 2)).toEqual(alone.map((value) => ({ status: "fulfilled", value })));
  expect(outcomes[2]).toMatchObject({
    status: "rejected",
    reason: {
      failure: "worker_lost",
      message: "3 worker processes of splade-tiny died of the same texts (last: SIGKILL)",
    },
  });
  expect(session.stats.workersLost).toBe(3);
  expect(await Promise.all(runEach(session, neighbours))).toEqual(alone);
});

test("a worker that dies while it opens the model is started again", async () => {
  const starts = injectFaults({ deadlyStarts: 2 });
  const lost: unknown[] = [];
  const session = await open({ onWorkerLost: ({ signal }) => lost.push(signal) });
  expect(starts()).toBe(3);
  expect(lost).toEqual(["SIGKILL", "SIGKILL"]);
  expect(session.pids).toHaveLength(1);
});

test("a model of which worker after worker dies is not opened, and leaves no process", async () => {
  const starts = injectFaults({ deadlyStarts: 100 });
  const { living } = watched();
  await expect(open({ workers: 2 })).rejects.toMatchObject({
    failure: "worker_lost",
    message: "worker processes of splade-tiny die while they open the model (last: SIGKILL)",
  });
  expect(starts()).toBeLessThanOrEqual(6);
  expect(living()).toEqual([]);
});

test("workers that cannot be replaced any more fail the work, and leave no process", async () => {
  const session = await open({ workers: 2 });
  const { living } = watched();
  injectFaults({ deadlyStarts: 100 });
  const failed = Promise.all(runEach(session, Array<TokenSequence>(1000).fill(long)));
  const [victim = 0] = session.pids;
  process.kill(victim, "SIGKILL");
  await expect(failed).rejects.toMatchObject({ failure: "worker_lost" });
  await expect.poll(() => session.pids).toEqual([]);
  expect(living()).toEqual([]);
});

test("a model that every one of several workers refuses is refused once, and leaves no process", async () => {
  const { all, living } = watched();
  const entry = findModel("splade-tiny", "sparse");
  if (!hasGraph(entry)) throw new Error("splade-tiny has no graph");
  const model = await verifyModel(entry, "int8");
  const wrong = { ...model, entry: { ...entry, output: { ...entry.output, name: "logits" } } };
  await expect(ModelSession.open(wrong, { workers: 4 })).rejects.toMatchObject({ failure: "model_refused" });
  expect(all).toHaveLength(4);
  expect(living()).toEqual([]);
});

test("where no process can be started the error says so, at the start and later", async () => {
  const session = await open();
  forbidProcesses();
  const noProcess = { failure: "worker_lost", message: expect.stringMatching(/^no worker process for splade-tiny/) };
  await expect(open({ workers: 2 })).rejects.toMatchObject(noProcess);
  const failed = Promise.all(runEach(session, [long, long, long, long]));
  process.kill(session.pids[0] ?? 0, "SIGKILL");
  await expect(failed).rejects.toMatchObject(noProcess);
});

test("a session that is closed while a worker is replaced leaves no process", async () => {
  const { all, living } = watched();
  const closed: Promise<void>[] = [];
  const session: ModelSession = await open({ onWorkerLost: () => closed.push(sleep(1).then(() => session.close())) });
  const failed = Promise.all(runEach(session, [long, long, long, long]));
  process.kill(session.pids[0] ?? 0, "SIGKILL");
  await expect(failed).rejects.toMatchObject({ failure: "closed" });
  await Promise.all([...closed, session.close()]);
  expect(all).toHaveLength(2);
  expect(living()).toEqual([]);
  expect(session.pids).toEqual([]);
});

test.each([0, 20])("an opening that is given up after %i ms leaves no process", async (ms) => {
  const { living } = watched();
  const abort = new AbortController();
  const opening = open({ workers: 2, signal: abort.signal });
  const failed = failureOf(opening);
  await sleep(ms);
  abort.abort();
  expect(await failed).toMatchObject({ failure: "closed" });
  expect(living()).toEqual([]);
  await expect(open({ signal: abort.signal })).rejects.toMatchObject({ failure: "closed" });
});

test.each(["SIGINT", "SIGTERM", "SIGHUP"] as const)(
  "%s to the whole group leaves the workers at work",
  async (signal) => {
    const session = await open();
    const running = runEach(session, [long, long, long, long]);
    process.kill(session.pids[0] ?? 0, signal);
    await Promise.all(running);
    expect(session.stats.workersLost).toBe(0);
  },
);

test("the workers' memory is known before the first text", async () => {
  const session = await open({ workers: 2 });
  expect(session.stats.peakBytes).toBeGreaterThan(2 * 20 * 1024 ** 2);
});
