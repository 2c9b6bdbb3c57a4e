import { setTimeout as sleep } from "node:timers/promises";
import { DenseService, OutcomeReason, Precision } from "@ragline/contracts";
import { RaglineError } from "@ragline/rpc";
import { type SpawnedService, spawnService } from "@ragline/service-kit";
import fc from "fast-check";
import { expect, onTestFinished, test } from "vitest";
import { stageEntry } from "../stages/stage-entry.js";
import { denseBlocks } from "./dense-stage.js";
import { searchSpaces } from "./retrieve.js";
import { dimension, embedTexts, startScriptedDense, vectorOf } from "./scripted-dense.fixture.js";
import { contextFor } from "./stage-test-context.fixture.js";

const texts = Array.from({ length: 400 }, (_, i) => `text number ${i}`);
const expected = texts.map(vectorOf);
const queries = ["first question", "second question"];
const dense = (services: readonly { address: string }[], options: Parameters<typeof contextFor>[2] = {}) =>
  contextFor(
    DenseService,
    services.map(({ address }) => address),
    options,
  );
const never = () => new Promise<never>(() => undefined);

test("one service embeds every chunk and query in order, opened as the settings say", async () => {
  const service = await startScriptedDense();
  const settings = { leaseTimeout: 90, leasePriority: -3, maxBatchTokens: 512, precision: "fp32" as const };
  const context = dense([service], { settings });
  const { space, rows } = await embedTexts(context, texts, queries);
  expect(rows).toEqual(expected);
  expect([...space.queries]).toEqual(queries.flatMap(vectorOf));
  expect(space).toMatchObject({ dimension, run: { summary: { items: 402n, batches: 1n, peakBytes: 7n, failed: 0n } } });
  expect(context.outcomes).toEqual([]);
  const open = { leaseWaitMs: 90_000, leasePriority: -3, maxBatchTokens: 512, precision: Precision.FP32, runId: "run" };
  expect(service.opens).toMatchObject([open]);
  const started = context.events.filter((event) => event.case === "stageStarted");
  expect(started).toMatchObject([{ value: { total: 400n, unit: "chunks" } }]);
  const last = context.events.findLast((event) => event.case === "stageProgress");
  expect(last).toMatchObject({ value: { done: 400n, total: 400n } });
});

test("two services share the work, and one that dies leaves its share to the other", async () => {
  const steady = await startScriptedDense({ onBatch: () => sleep(2) });
  const dying = await startScriptedDense({ onBatch: (batch, { kill }) => (batch === 3 ? kill() : sleep(2)) });
  const context = dense([dying, steady]);
  const { rows } = await embedTexts(context, texts);
  expect(rows).toEqual(expected);
  expect(dying.received.length).toBeGreaterThan(3);
  expect(context.outcomes).toMatchObject([{ reason: OutcomeReason.REPLICA_LOST, degraded: false }]);
  expect(context.outcomes[0]?.count).toBeGreaterThan(0n);
  expect(context.outcomes[0]?.detail).toContain(dying.address);
});

test("a single service that has no room is asked again after the time it says, from the first batch without an answer", async () => {
  const refusing = new Set([0, 5, 6]);
  const service = await startScriptedDense({
    onBatch: (batch) => {
      if (refusing.has(batch))
        throw new RaglineError("RESOURCE_EXHAUSTED", "QUEUE_FULL", "no room", { retryDelayMs: 10 });
    },
  });
  const context = dense([service]);
  const { rows } = await embedTexts(context, texts);
  expect(rows).toEqual(expected);
  expect(service.opens).toHaveLength(4);
  expect(context.outcomes).toMatchObject([
    {
      reason: OutcomeReason.EXECUTOR_UNAVAILABLE,
      count: 3n,
      degraded: false,
      detail: expect.stringMatching(/no room/),
    },
  ]);
});

test("a service that never answers is overtaken by an idle one, and its stream is ended", async () => {
  const stuck = await startScriptedDense({ onBatch: never });
  const steady = await startScriptedDense();
  const context = dense([stuck, steady]);
  const { rows } = await embedTexts(context, texts);
  expect(rows).toEqual(expected);
  expect(context.outcomes).toMatchObject([{ reason: OutcomeReason.REPLICA_LOST, detail: /fell behind/ }]);
});

test("services that opened different things are refused, both named", async () => {
  const services = [await startScriptedDense(), await startScriptedDense({ ready: { precision: Precision.FP32 } })];
  const failed = embedTexts(dense(services), texts);
  await expect(failed).rejects.toMatchObject({ codeName: "FAILED_PRECONDITION" });
  for (const { address } of services) await expect(failed).rejects.toThrow(address);
});

test.each<[what: string, script: Parameters<typeof startScriptedDense>[0], codeName: string, message: RegExp]>([
  ["fewer vectors", { rows: (count) => count - 1 }, "INTERNAL", /sent 15 vectors of bge-small-en-v1.5 .* for 16 texts/],
  ["vectors of another width", { ready: { dimension: 5 } }, "INTERNAL", /sent NaN vectors/],
  [
    "an error that no other try can mend",
    {
      onBatch: () => {
        throw new RaglineError("INVALID_ARGUMENT", "R", "wrong batch");
      },
    },
    "INVALID_ARGUMENT",
    /wrong batch/,
  ],
])("%s from one service fails the stage", async (_, script, codeName, message) => {
  const services = [await startScriptedDense(script)];
  await expect(embedTexts(dense(services), texts)).rejects.toMatchObject({
    codeName,
    message: expect.stringMatching(message),
  });
});

test("texts without a vector are zero rows that no search finds, and one outcome tells how many and which", async () => {
  const unfit = new Set([texts[3], texts[20], texts[21], texts[300], queries[1]]);
  const failureOf = (text: string) => (unfit.has(text) ? OutcomeReason.OUT_OF_MEMORY : undefined);
  const context = dense([await startScriptedDense({ failureOf })]);
  const { space, rows } = await embedTexts(context, texts, queries);
  const zero = [0, 0, 0, 0];
  expect(rows).toEqual(texts.map((text) => (unfit.has(text) ? zero : vectorOf(text))));
  expect([...space.queries]).toEqual([...vectorOf(queries[0] ?? ""), ...zero]);
  expect(space.run.summary.failed).toBe(5n);
  expect(space.run.summary.outcomes).toMatchObject([
    { reason: OutcomeReason.OUT_OF_MEMORY, count: 4n, degraded: true, model: "bge-small-en-v1.5" },
    { reason: OutcomeReason.OUT_OF_MEMORY, count: 1n, degraded: true },
  ]);
  const [chunkDetail = "", queryDetail = ""] = space.run.summary.outcomes.map(({ detail }) => detail);
  expect(chunkDetail).toMatch(/^4 of 400 chunks \(id-3, id-20, id-21, …\) .*use a larger device$/);
  expect(queryDetail).toMatch(/^1 of 2 queries /);
  expect(chunkDetail + queryDetail).not.toMatch(/text number|question/);
  const [results] = await searchSpaces([{ ...space, blocks: () => denseBlocks(space) }], [], 1000);
  const found = results?.lists[0]?.map(({ row }) => row).sort((a, b) => a - b);
  expect(found).toEqual([...texts.keys()].filter((row) => !unfit.has(texts[row])));
  expect(results?.lists[1]).toEqual([]);
});

test("a run that is stopped ends every stream", async () => {
  const controller = new AbortController();
  const services = [
    await startScriptedDense({ onBatch: () => sleep(1) }),
    await startScriptedDense({ onBatch: never }),
  ];
  const context = dense(services, { signal: controller.signal });
  const stopped = embedTexts(
    { ...context, emit: (event) => event.case === "stageProgress" && controller.abort(new Error("stopped")) },
    texts,
  );
  await expect(stopped).rejects.toThrow("stopped");
  expect(services[0]?.opens).toHaveLength(1);
  await expect.poll(() => services[0]?.streams()).toBe(0);
});

test("whatever services refuse and break, the vectors are those of one service", async () => {
  // Failures in a row do not count together when there is an answer in between.
  const answerThenFail = fc.tuple(
    fc.constantFrom("answer", "wait"),
    fc.constantFrom("answer", "UNAVAILABLE", "RESOURCE_EXHAUSTED", "ABORTED", "DEADLINE_EXCEEDED"),
  );
  const script = fc.array(answerThenFail, { maxLength: 4 }).map((steps) => steps.flat());
  await fc.assert(
    fc.asyncProperty(fc.array(script, { minLength: 1, maxLength: 3 }), async (scripts) => {
      const onBatch = (steps: readonly string[]) => async (batch: number) => {
        const step = steps[batch] ?? "answer";
        if (step === "wait") await sleep(2);
        else if (step !== "answer") throw new RaglineError(step as "ABORTED", "R", "by script", { retryDelayMs: 1 });
      };
      const services = await Promise.all(scripts.map((steps) => startScriptedDense({ onBatch: onBatch(steps) })));
      const { rows } = await embedTexts(dense(services), texts.slice(0, 160));
      expect(rows).toEqual(expected.slice(0, 160));
    }),
    { seed: 3, numRuns: 8 },
  );
});

test("one of two real services is killed in the middle: the vectors are the same bits as those of one", async () => {
  const start = () => spawnService({ entry: stageEntry("dense"), name: "dense", args: ["--workers", "1"] });
  const services: SpawnedService[] = await Promise.all([start(), start()]);
  onTestFinished(async () => {
    await Promise.all(services.map((service) => service.stop()));
  });
  const settings = { precision: "int8" as const };
  const sentences = texts.slice(0, 320).map((text, i) => `${text} of ${"some ".repeat(i % 8)}words`);
  const [victim, survivor] = services;
  if (!victim || !survivor) throw new Error("two services");
  const both = dense(services, { settings });
  let killed = false;
  const killInTheMiddle: typeof both.emit = (event) => {
    both.emit(event);
    if (event.case !== "stageProgress" || killed) return;
    killed = true;
    process.kill(victim.pid, "SIGKILL");
  };
  const shared = await embedTexts({ ...both, emit: killInTheMiddle }, sentences, queries, "all-miniLM-l6");
  const alone = await embedTexts(dense([survivor], { settings }), sentences, queries, "all-miniLM-l6");
  expect(killed).toBe(true);
  expect(shared.rows).toEqual(alone.rows);
  expect(shared.space.queries).toEqual(alone.space.queries);
  expect(both.outcomes).toMatchObject([{ reason: OutcomeReason.REPLICA_LOST, degraded: false }]);
  expect(both.outcomes[0]?.detail).toContain(victim.address);
});
