import fc from "fast-check";
import { expect, test } from "vitest";
import { every, inBatches, longestFirst, splitEvenly } from "./batching.js";

const lengthLists = fc.array(fc.integer({ min: 1, max: 512 }), { maxLength: 60 });

test("puts every text into one batch, the longest first", () => {
  fc.assert(
    fc.property(lengthLists, fc.integer({ min: 1, max: 32 }), (lengths, size) => {
      const batches = inBatches(longestFirst(lengths), size);
      expect(batches.every((batch) => batch.length >= 1 && batch.length <= size)).toBe(true);
      const sorted = batches.flat().map((position) => lengths[position] ?? 0);
      expect(sorted).toEqual([...lengths].sort((a, b) => b - a));
      expect(new Set(batches.flat()).size).toBe(lengths.length);
    }),
  );
});

test("splits the work without loss, and no share exceeds another by more than one batch", () => {
  fc.assert(
    fc.property(lengthLists, fc.integer({ min: 1, max: 5 }), (costs, shares) => {
      const batches = costs.map((_, position) => [position]);
      const split = splitEvenly(batches, costs, shares);
      expect(split.flat(2).sort((a, b) => a - b)).toEqual(batches.flat());
      const totals = split.map((share) => share.flat().reduce((sum, position) => sum + (costs[position] ?? 0), 0));
      expect(Math.max(...totals) - Math.min(...totals)).toBeLessThanOrEqual(Math.max(0, ...costs));
    }),
  );
});

test("shares items out by turns", () => {
  expect([0, 1, 2].map((offset) => every(["a", "b", "c", "d", "e"], 3, offset))).toEqual([
    ["a", "d"],
    ["b", "e"],
    ["c"],
  ]);
});
