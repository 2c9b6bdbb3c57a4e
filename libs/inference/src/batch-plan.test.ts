import fc from "fast-check";
import { expect, test } from "vitest";
import { bucketOf, planCalls } from "./batch-plan.js";

const lengths = fc.array(fc.integer({ min: 2, max: 512 }), { maxLength: 60 });
const options = fc.record({
  sharing: fc.constantFrom("none", "same-length", "any-length"),
  maxBatchTokens: fc.integer({ min: 1, max: 4096 }),
  maxBatchItems: fc.integer({ min: 1, max: 20 }),
  maxTokens: fc.constant(512),
});

test("every text is in exactly one call, padded as far as its sharing allows, within the token budget or alone", () => {
  fc.assert(
    fc.property(lengths, options, (all, plan) => {
      const calls = planCalls(all, plan);
      expect(calls.flatMap(({ positions }) => positions).sort((a, b) => a - b)).toEqual(all.map((_, i) => i));
      for (const { positions, paddedLength } of calls) {
        const own = positions.map((position) => all[position] ?? 0);
        if (plan.sharing === "any-length") expect(paddedLength).toBe(bucketOf(Math.max(...own), 512));
        else
          for (const length of own) expect(paddedLength).toBe(plan.sharing === "none" ? length : bucketOf(length, 512));
        expect(positions.length === 1 || positions.length * paddedLength <= plan.maxBatchTokens).toBe(true);
        expect(positions.length).toBeLessThanOrEqual(plan.maxBatchItems);
        expect(plan.sharing !== "none" || positions.length === 1).toBe(true);
      }
    }),
  );
});

test("texts of any length share calls with those next to them in length", () => {
  const plan = { sharing: "any-length", maxBatchTokens: 64, maxTokens: 512 } as const;
  expect(planCalls([3, 30, 8, 31, 9], plan)).toEqual([
    { positions: [3, 1], paddedLength: 32 },
    { positions: [4, 2, 0], paddedLength: 16 },
  ]);
});

test.each([
  [2, 8],
  [8, 8],
  [9, 16],
  [509, 512],
  [512, 512],
])("a text of %i tokens is padded to %i", (length, bucket) => {
  expect(bucketOf(length, 512)).toBe(bucket);
});

test("a bucket is never wider than the model", () => {
  expect(bucketOf(250, 255)).toBe(255);
});
