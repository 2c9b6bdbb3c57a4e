import fc from "fast-check";
import { expect, test } from "vitest";
import { bucketOf, planCalls } from "./batch-plan.js";

const lengths = fc.array(fc.integer({ min: 2, max: 512 }), { maxLength: 60 });
const options = fc.record({
  batched: fc.boolean(),
  maxBatchTokens: fc.integer({ min: 1, max: 4096 }),
  maxBatchItems: fc.integer({ min: 1, max: 20 }),
  maxTokens: fc.constant(512),
});

test("every text is in exactly one call, padded to its own bucket, within the token budget or alone", () => {
  fc.assert(
    fc.property(lengths, options, (all, plan) => {
      const calls = planCalls(all, plan);
      expect(calls.flatMap(({ positions }) => positions).sort((a, b) => a - b)).toEqual(all.map((_, i) => i));
      for (const { positions, paddedLength } of calls) {
        for (const position of positions) {
          const length = all[position] ?? 0;
          expect(paddedLength).toBe(plan.batched ? bucketOf(length, 512) : length);
        }
        expect(positions.length === 1 || positions.length * paddedLength <= plan.maxBatchTokens).toBe(true);
        expect(positions.length).toBeLessThanOrEqual(plan.maxBatchItems);
        expect(plan.batched || positions.length === 1).toBe(true);
      }
    }),
  );
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
