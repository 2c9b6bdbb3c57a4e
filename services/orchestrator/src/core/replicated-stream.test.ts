import { setImmediate as tick } from "node:timers/promises";
import { create } from "@bufbuild/protobuf";
import { StageReadySchema, StageSummarySchema } from "@ragline/contracts";
import { RaglineError, type StatusName, untilAborted } from "@ragline/rpc";
import fc from "fast-check";
import { expect, test } from "vitest";
import type { StageReply } from "./model-stream.js";
import type { Replica } from "./replica.js";
import { ReplicatedStream } from "./replicated-stream.js";
import { defaultRetryPolicy } from "./retry-policy.js";

/** What a replica does with its next batch: answers after some turns of the event loop, fails, or never answers. */
type Step = { readonly turns: number } | { readonly fails: StatusName } | "hangs";

interface Result {
  readonly square: number;
  readonly failures: [];
}

const transient = ["UNAVAILABLE", "RESOURCE_EXHAUSTED", "DEADLINE_EXCEEDED", "ABORTED", "CANCELLED"] as const;
const mostOutstanding = 16;
const atOnce = { ...defaultRetryPolicy, busyTries: 1000, lostTries: 1000, baseMs: 0 };

/** A replica in this process that squares numbers, by a script; what the script does not tell it answers at once. */
class ScriptedReplica implements Replica<number> {
  readonly address: string;
  readonly received: number[] = [];
  streams = 0;
  opened = 0;
  mostOwed = 0;
  readonly #script: Step[];

  constructor(address: string, script: readonly Step[]) {
    this.address = address;
    this.#script = [...script];
  }

  async hasDied(): Promise<boolean> {
    return false;
  }

  async open(batches: AsyncIterable<number>, signal: AbortSignal): Promise<AsyncIterable<StageReply>> {
    return this.#answers(batches, signal);
  }

  async *#answers(batches: AsyncIterable<number>, signal: AbortSignal): AsyncGenerator<StageReply> {
    this.opened++;
    this.streams++;
    const queue: number[] = [];
    const untaken = { done: false };
    try {
      yield { kind: { case: "ready", value: create(StageReadySchema, { model: "m", workers: 1 }) } };
      // Taken as they come, as a service does, so that what is owed can be counted.
      const taking = (async () => {
        for await (const batch of untilAborted(batches, signal)) {
          queue.push(batch);
          this.received.push(batch);
          this.mostOwed = Math.max(this.mostOwed, queue.length);
        }
        untaken.done = true;
      })();
      taking.catch(() => undefined);
      for (;;) {
        signal.throwIfAborted();
        const [batch] = queue;
        if (batch === undefined) {
          if (untaken.done) break;
          await tick();
          continue;
        }
        const step = this.#script.shift() ?? { turns: 0 };
        if (step === "hangs") await new Promise((_, reject) => signal.addEventListener("abort", reject));
        else if ("fails" in step) throw new RaglineError(step.fails, "R", "it fails", { retryDelayMs: 0 });
        else for (let turn = 0; turn < step.turns; turn++) await tick();
        signal.throwIfAborted();
        queue.shift();
        yield { kind: { case: "vectors", value: { square: batch * batch, failures: [] } } };
      }
      yield { kind: { case: "summary", value: create(StageSummarySchema, { batches: 1n, peakBytes: 5n }) } };
    } finally {
      this.streams--;
    }
  }
}

async function runOver(
  replicas: readonly ScriptedReplica[],
  count: number,
  options: {
    retry?: typeof atOnce;
    slowAfterMs?: number;
    signal?: AbortSignal;
    onResult?: (batch: number) => void;
  } = {},
) {
  const delivered: [number, number][] = [];
  let read = 0;
  let mostAhead = 0;
  async function* batches() {
    for (let i = 0; i < count; i++) {
      read++;
      mostAhead = Math.max(mostAhead, read - delivered.length);
      yield i;
    }
  }
  const stream = new ReplicatedStream<number, Result>({
    replicas,
    batches: batches(),
    itemsOf: () => 1,
    check: (batch, { square }) => expect(square).toBe(batch * batch),
    onReady: () => undefined,
    onResult: async (batch, { square }) => {
      delivered.push([batch, square]);
      options.onResult?.(batch);
    },
    signal: options.signal ?? new AbortController().signal,
    retry: options.retry ?? atOnce,
    ...(options.slowAfterMs === undefined ? {} : { slowAfterMs: options.slowAfterMs }),
  });
  const run = await stream.run().catch((error: unknown) => ({ error }));
  return { run, delivered, mostAhead, reports: stream.reports };
}

const squares = (count: number) => Array.from({ length: count }, (_, i) => [i, i * i]);

const answer = fc.record({ turns: fc.nat(4) });
const failing = fc.record({ fails: fc.constantFrom(...transient) });
const steady = fc.array(fc.oneof({ weight: 6, arbitrary: answer }, { weight: 1, arbitrary: failing }), {
  maxLength: 60,
});
const shaky = fc.array(
  fc.oneof(
    { weight: 6, arbitrary: answer },
    { weight: 2, arbitrary: failing },
    { weight: 1, arbitrary: fc.constant("hangs" as const) },
  ),
  { maxLength: 40 },
);

test("whatever becomes of the replicas, every result comes once and in order, and little is read ahead", async () => {
  await fc.assert(
    fc.asyncProperty(steady, fc.array(shaky, { maxLength: 3 }), fc.nat(150), async (first, others, count) => {
      const replicas = [first, ...others].map((script, i) => new ScriptedReplica(`r:${i}`, script));
      const { run, delivered, mostAhead } = await runOver(replicas, count, { slowAfterMs: 5 });
      expect(run).not.toHaveProperty("error");
      expect(delivered).toEqual(squares(count));
      expect(mostAhead).toBeLessThanOrEqual(2 * mostOutstanding * replicas.length);
      for (const { mostOwed } of replicas) expect(mostOwed).toBeLessThanOrEqual(mostOutstanding);
      await tick();
      expect(replicas.map(({ streams }) => streams)).toEqual(replicas.map(() => 0));
    }),
    { seed: 11, numRuns: 60 },
  );
});

test("replicas that do not fail compute every batch once, each about its share", async () => {
  const replicas = [0, 1, 2, 3].map((i) => new ScriptedReplica(`r:${i}`, Array<Step>(400).fill({ turns: 3 })));
  const { run, delivered } = await runOver(replicas, 400);
  expect(delivered).toEqual(squares(400));
  expect(new Set(replicas.flatMap(({ received }) => received)).size).toBe(400);
  for (const { received } of replicas) expect(received.length).toBeGreaterThan(50);
  expect(run).toMatchObject({
    ready: { model: "m" },
    summary: { items: 400n, batches: 4n, peakBytes: 5n, failed: 0n },
  });
});

test("what a lost replica owed goes to the others, and is told", async () => {
  const good = new ScriptedReplica("good:1", Array<Step>(100).fill({ turns: 2 }));
  const lost = new ScriptedReplica("lost:2", [{ turns: 1 }, ...Array<Step>(100).fill({ fails: "UNAVAILABLE" })]);
  const retry = { ...atOnce, lostTries: 3 };
  const { delivered, reports } = await runOver([good, lost], 100, { retry });
  expect(delivered).toEqual(squares(100));
  expect(lost.received.length).toBeGreaterThan(1);
  expect(reports[0]).toMatchObject({ address: "good:1", losses: 0, passedOn: 0 });
  expect(reports[1]?.losses).toBeGreaterThan(0);
  expect(reports[1]?.passedOn).toBeGreaterThan(0);
});

test("a replica that never answers is overtaken: every batch it owes is computed by another one", async () => {
  const good = new ScriptedReplica("good:1", []);
  const stuck = new ScriptedReplica("stuck:2", ["hangs"]);
  const { delivered, reports } = await runOver([good, stuck], 100, { slowAfterMs: 5 });
  expect(delivered).toEqual(squares(100));
  expect(reports[1]).toMatchObject({ losses: 0, passedOn: stuck.received.length });
  expect(good.received).toHaveLength(100);
});

test("a replica that is busy is asked again from the first batch without an answer, and given less at once", async () => {
  const busy: Step = { fails: "RESOURCE_EXHAUSTED" };
  const replica = new ScriptedReplica("r:1", [{ turns: 0 }, { turns: 0 }, busy, busy, busy, { turns: 0 }, busy]);
  const { delivered, reports } = await runOver([replica], 40, { retry: { ...atOnce, busyTries: 4 } });
  expect(delivered).toEqual(squares(40));
  expect(replica.opened).toBe(5);
  expect(reports[0]).toMatchObject({ losses: 4 });
  expect(replica.received.slice(-38).every((batch, i) => batch === i + 2 || batch >= 2)).toBe(true);
  expect(replica.received.filter((batch) => batch < 2)).toEqual([0, 1]);
});

test.each<[fails: StatusName, tries: number]>([
  ["RESOURCE_EXHAUSTED", 3],
  ["UNAVAILABLE", 2],
])("a single replica that only says %s is given up after %i tries in a row", async (fails, tries) => {
  const replica = new ScriptedReplica("r:1", [{ turns: 0 }, ...Array<Step>(50).fill({ fails })]);
  const { run, delivered } = await runOver([replica], 9, { retry: { ...atOnce, busyTries: 3, lostTries: 2 } });
  expect(run).toMatchObject({ error: { codeName: fails, message: "it fails" } });
  expect(delivered).toEqual(squares(1));
  expect(replica.opened).toBe(tries);
});

test("when all replicas are lost, the error names them", async () => {
  const dead = (address: string) => new ScriptedReplica(address, Array<Step>(50).fill({ fails: "UNAVAILABLE" }));
  const { run } = await runOver([dead("a:1"), dead("b:2")], 9, { retry: { ...atOnce, lostTries: 2 } });
  expect(run).toMatchObject({
    error: { codeName: "UNAVAILABLE", message: "all 2 replicas (a:1, b:2) are lost; the last said: it fails" },
  });
});

test.each<StatusName>(["INVALID_ARGUMENT", "FAILED_PRECONDITION", "INTERNAL", "NOT_FOUND"])(
  "%s of one replica fails the work at once",
  async (fails) => {
    const other = new ScriptedReplica("b:2", []);
    const bad = new ScriptedReplica("a:1", [{ fails }]);
    const { run } = await runOver([bad, other], 500);
    expect(run).toMatchObject({ error: { codeName: fails } });
    expect(bad.opened).toBe(1);
    await tick();
    expect(other.streams).toBe(0);
  },
);

test("a batch that ends every replica it is given to ends the work", async () => {
  class Poisoned extends ScriptedReplica {
    override async open(batches: AsyncIterable<number>, signal: AbortSignal): Promise<AsyncIterable<StageReply>> {
      async function* untilPoison() {
        for await (const batch of batches) {
          if (batch === 7) throw new RaglineError("UNAVAILABLE", "R", "it crashed", { retryDelayMs: 0 });
          yield batch;
        }
      }
      const { address } = this;
      const answers = untilPoison();
      async function* replies() {
        yield { kind: { case: "ready", value: create(StageReadySchema, { model: address && "m", workers: 1 }) } };
        for await (const batch of untilAborted(answers, signal))
          yield { kind: { case: "vectors", value: { square: batch * batch, failures: [] } } };
      }
      return replies();
    }
  }
  const replicas = [new Poisoned("a:1", []), new Poisoned("b:2", [])];
  const { run, delivered } = await runOver(replicas, 500, { retry: { ...atOnce, lostTries: 3 } });
  expect(run).toMatchObject({ error: { codeName: "UNAVAILABLE" } });
  expect(delivered).toEqual(squares(7));
});

test("an aborted run throws the reason and stops every stream", async () => {
  const controller = new AbortController();
  const replicas = [new ScriptedReplica("a:1", []), new ScriptedReplica("b:2", ["hangs"])];
  const onResult = (batch: number) => batch === 5 && controller.abort(new Error("enough"));
  const { run, delivered } = await runOver(replicas, 5000, { signal: controller.signal, onResult });
  expect(run).toMatchObject({ error: { message: "enough" } });
  expect(delivered.length).toBeLessThan(100);
  await tick();
  expect(replicas.map(({ streams }) => streams)).toEqual([0, 0]);
});

test("no batches at all: the stream is opened and ended", async () => {
  const { run, delivered } = await runOver([new ScriptedReplica("a:1", [])], 0);
  expect(delivered).toEqual([]);
  expect(run).toMatchObject({ ready: { model: "m" }, summary: { items: 0n, batches: 1n } });
});

/** Asks for the square of each number only once that of the one before has come; then waits for ever, if told to. */
async function* oneByOne(count: number, delivered: readonly unknown[], isEndless = false): AsyncGenerator<number> {
  for (let i = 0; i < count; i++) {
    while (delivered.length < i) await tick();
    yield i;
  }
  if (isEndless) await new Promise(() => undefined);
}

function streamOf(batches: AsyncIterable<number>, delivered: Result[], signal: AbortSignal) {
  return new ReplicatedStream<number, Result>({
    replicas: [new ScriptedReplica("a:1", [])],
    batches,
    itemsOf: () => 1,
    check: () => undefined,
    onReady: () => undefined,
    onResult: async (_, result) => void delivered.push(result),
    signal,
  });
}

test("results are handed on while the source waits for them before it gives its next batch", async () => {
  const delivered: Result[] = [];
  await streamOf(oneByOne(40, delivered), delivered, new AbortController().signal).run();
  expect(delivered.map(({ square }) => square)).toEqual(Array.from({ length: 40 }, (_, i) => i * i));
});

test("a run is stopped although its source gives nothing", async () => {
  const controller = new AbortController();
  const delivered: Result[] = [];
  const run = streamOf(oneByOne(3, delivered, true), delivered, controller.signal).run();
  while (delivered.length < 3) await tick();
  controller.abort(new Error("enough"));
  await expect(run).rejects.toThrow("enough");
});

test("a source that fails ends the run with its error", async () => {
  async function* failing() {
    yield 1;
    throw new Error("no more paper");
  }
  await expect(streamOf(failing(), [], new AbortController().signal).run()).rejects.toThrow("no more paper");
});
