import fc from "fast-check";
import { expect, test } from "vitest";
import { bootstrapInterval, pairedDifferences, pairedRandomisationTest } from "./index.js";

test("few pairs are tested exactly", () => {
  // Of the 8 sign assignments of 1, 2, 3 only +++ and --- reach a sum of 6.
  expect(pairedRandomisationTest([0, 0, 0], [1, 2, 3])).toEqual({ difference: 2, p: 0.25, samples: 8, isExact: true });
  // 3 + 2 - 1 = 4: reached by +++, ++-, and their opposites.
  expect(pairedRandomisationTest([1, 0, 0], [0, 2, 3]).p).toBe(0.5);
});

test("equal systems are not different", () => {
  expect(pairedRandomisationTest([0.5, 1], [0.5, 1])).toMatchObject({ difference: 0, p: 1, isExact: true });
  expect(pairedRandomisationTest([], [])).toMatchObject({ difference: 0, p: 1 });
});

test("a random p is near the exact one, and the seed fixes it", () => {
  const a = [0.1, 0.4, 0.2, 0.9, 0.5, 0.3, 0.7, 0.6, 0.2, 0.1];
  const b = [0.3, 0.5, 0.1, 1.0, 0.9, 0.2, 0.8, 0.9, 0.2, 0.4];
  const exact = pairedRandomisationTest(a, b).p;
  const random = pairedRandomisationTest(a, b, { samples: 500, seed: 3 });
  expect(random.isExact).toBe(false);
  expect(random.p).toBeCloseTo(exact, 1);
  expect(pairedRandomisationTest(a, b, { samples: 500, seed: 3 })).toEqual(random);
  expect(pairedRandomisationTest(a, b, { samples: 500, seed: 4 }).p).not.toBe(random.p);
});

test("many pairs beyond 32 use a sign each", () => {
  const a = Array.from({ length: 100 }, () => 0);
  const shifted = pairedRandomisationTest(
    a,
    a.map(() => 1),
    { samples: 2000 },
  );
  expect(shifted.p).toBe(1 / 2001);
  // Half up, half down: as balanced as chance itself.
  const balanced = a.map((_, i) => (i % 2 === 0 ? 1 : -1));
  expect(pairedRandomisationTest(a, balanced, { samples: 2000 }).p).toBe(1);
});

test("p does not depend on which system is first", () => {
  const values = fc.array(fc.tuple(fc.integer({ min: 0, max: 8 }), fc.integer({ min: 0, max: 8 })), { maxLength: 10 });
  fc.assert(
    fc.property(values, (pairs) => {
      const [a, b] = [pairs.map(([x]) => x / 8), pairs.map(([, y]) => y / 8)];
      expect(pairedRandomisationTest(a, b).p).toBe(pairedRandomisationTest(b, a).p);
    }),
  );
});

test("pairs that do not fit are refused", () => {
  expect(() => pairedRandomisationTest([1], [1, 2])).toThrow("needs the same queries in both");
  expect(() => pairedDifferences([Number.NaN], [1])).toThrow("pair 0");
});

test("an interval holds the mean, and as much as it says", () => {
  const values = Array.from({ length: 200 }, (_, i) => i / 199);
  const interval = bootstrapInterval(values);
  // Standard error of the mean of a uniform: sqrt(1 / 12 / 200), times 1.96.
  expect(interval.mean).toBeCloseTo(0.5, 12);
  expect(interval.high - interval.mean).toBeCloseTo(0.04, 2);
  expect(interval.mean - interval.low).toBeCloseTo(0.04, 2);
  expect(bootstrapInterval(values)).toEqual(interval);
  const narrow = bootstrapInterval(values, { confidence: 0.5 });
  expect(narrow.high - narrow.low).toBeLessThan(interval.high - interval.low);
});

test("an interval of nothing or of one value is a point", () => {
  expect(bootstrapInterval([])).toEqual({ mean: 0, low: 0, high: 0 });
  expect(bootstrapInterval([0.25])).toEqual({ mean: 0.25, low: 0.25, high: 0.25 });
  expect(() => bootstrapInterval([1], { confidence: 1 })).toThrow("confidence");
});
