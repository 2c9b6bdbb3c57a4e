import fc from "fast-check";
import { expect, test } from "vitest";
import { LatencyGovernor } from "./latency-governor.js";

test("without a target every candidate is scored at once, however long it takes", () => {
  const governor = new LatencyGovernor(0);
  governor.observe(1000, 100);
  expect(governor.plan(100)).toEqual({ candidates: 100, pairsAtOnce: 100 });
  expect(governor.report).toBeUndefined();
});

test("a slow query first halves the pairs at once, down to one, and only then the candidates", () => {
  let cuts = 0;
  const governor = new LatencyGovernor(1, () => cuts++);
  const plans = Array.from({ length: 9 }, () => {
    const plan = governor.plan(100);
    governor.observe(2, plan.candidates);
    return [plan.pairsAtOnce, plan.candidates];
  });
  expect(plans).toEqual([...[64, 32, 16, 8, 4, 2, 1].map((pairs) => [pairs, 100]), [1, 50], [1, 25]]);
  expect(cuts).toBe(6);
  expect(governor.report).toEqual({
    cuts: 9,
    detail:
      "the scores of a query took longer than 1000 ms 9 time(s): at most 1 pairs were computed at once, then at most 12 candidates were scored",
  });
});

test("a streak of quick queries gives the candidates back first, then the pairs; one in between breaks it", () => {
  const governor = new LatencyGovernor(1);
  for (let i = 0; i < 8; i++) governor.observe(2, governor.plan(100).candidates);
  const quick = (count: number) => {
    for (let i = 0; i < count; i++) governor.observe(0.1, 50);
    return governor.plan(100);
  };
  expect(quick(7)).toEqual({ candidates: 25, pairsAtOnce: 1 });
  governor.observe(0.8, 25);
  expect(quick(7)).toEqual({ candidates: 25, pairsAtOnce: 1 });
  expect(quick(1)).toEqual({ candidates: 50, pairsAtOnce: 1 });
  expect(quick(8 * 9).candidates).toBe(100);
  expect(quick(8 * 9).pairsAtOnce).toBeGreaterThan(1);
});

test("whatever queries take, at least one candidate is scored and never more than there are", () => {
  const query = fc.tuple(fc.integer({ min: 1, max: 500 }), fc.double({ min: 0, max: 10, noNaN: true }));
  fc.assert(
    fc.property(fc.array(query, { maxLength: 200 }), (queries) => {
      const governor = new LatencyGovernor(1);
      for (const [candidates, seconds] of queries) {
        const plan = governor.plan(candidates);
        expect(plan.candidates).toBeGreaterThanOrEqual(1);
        expect(plan.candidates).toBeLessThanOrEqual(candidates);
        expect(plan.pairsAtOnce).toBeGreaterThanOrEqual(1);
        governor.observe(seconds, plan.candidates);
      }
    }),
    { seed: 5 },
  );
});
