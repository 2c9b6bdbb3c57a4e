import { setTimeout as sleep } from "node:timers/promises";
import { OutcomeReason, OutcomeSource, Stage } from "@ragline/contracts";
import { expect, test } from "vitest";
import { StageTally } from "./index.js";

const stats = { calls: 3, tokens: 40, paddedTokens: 48, peakBytes: 1000, workersLost: 0, outOfMemory: 0 };

test("a stream of nothing has a summary of nothing", () => {
  const none = { calls: 0, tokens: 0, paddedTokens: 0, peakBytes: 0, workersLost: 0, outOfMemory: 0 };
  expect(new StageTally(Stage.DENSE, "m").summary(none)).toEqual({
    items: 0n,
    batches: 0n,
    tokens: 0n,
    paddedTokens: 0n,
    truncated: 0n,
    seconds: 0,
    peakBytes: 0n,
    workersLost: 0,
    outOfMemory: 0n,
    failed: 0n,
    resizeCount: 0n,
    softLimitCrossings: 0n,
    leasesLost: 0,
    outcomes: [],
  });
});

test("batches add up, and the clock runs from the first batch alone", async () => {
  const tally = new StageTally(Stage.DENSE, "m");
  await sleep(60);
  tally.start();
  await sleep(10);
  tally.start();
  tally.add({ items: 2, truncated: 0 });
  tally.add({ items: 3, truncated: 0, empty: 0 });
  await sleep(10);
  const { seconds, ...counts } = tally.summary(stats);
  expect(counts).toEqual({
    items: 5n,
    batches: 3n,
    tokens: 40n,
    paddedTokens: 48n,
    truncated: 0n,
    peakBytes: 1000n,
    workersLost: 0,
    outOfMemory: 0n,
    failed: 0n,
    resizeCount: 0n,
    softLimitCrossings: 0n,
    leasesLost: 0,
    outcomes: [],
  });
  expect(seconds).toBeGreaterThan(0.015);
});

test("whatever did not go as asked is a typed outcome, and none of these makes results worse", () => {
  const tally = new StageTally(Stage.SPARSE, "splade");
  tally.report({ reason: OutcomeReason.TIMEOUT, source: OutcomeSource.CONFIG, detail: "told by the stage", count: 1n });
  tally.add({ items: 4, truncated: 1, empty: 1 });
  tally.add({ items: 6, truncated: 1, empty: 2 });
  const { outcomes, truncated, workersLost } = tally.summary({ ...stats, workersLost: 2 });
  expect({ truncated, workersLost }).toEqual({ truncated: 2n, workersLost: 2 });
  const about = { stage: Stage.SPARSE, model: "splade", source: OutcomeSource.RUNTIME };
  expect(outcomes).toEqual([
    { ...about, reason: OutcomeReason.TIMEOUT, source: OutcomeSource.CONFIG, detail: "told by the stage", count: 1n },
    {
      ...about,
      reason: OutcomeReason.TEXT_TRUNCATED,
      count: 2n,
      detail: "2 of 10 texts have more tokens than splade takes; what came after was not read",
    },
    {
      ...about,
      reason: OutcomeReason.EMPTY_VECTOR,
      count: 3n,
      detail: "3 of 10 texts have no word that splade weighs; their vectors are empty",
    },
    {
      ...about,
      reason: OutcomeReason.WORKER_LOST,
      count: 2n,
      detail: "2 worker process(es) of splade died; their texts were computed again on new ones",
    },
  ]);
});
