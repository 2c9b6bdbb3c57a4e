import { RaglineError, type StatusName } from "@ragline/rpc";
import fc from "fast-check";
import { expect, test } from "vitest";
import { defaultRetryPolicy, isTransient, retryDelayMs, triesFor } from "./retry-policy.js";

const failure = (code: StatusName, retryDelay = 700) => new RaglineError(code, "R", "m", { retryDelayMs: retryDelay });

test.each<[code: StatusName, transient: boolean, floorMs: number, tries: number]>([
  ["UNAVAILABLE", true, 700, 4],
  ["RESOURCE_EXHAUSTED", true, 700, 8],
  ["DEADLINE_EXCEEDED", true, 0, 4],
  ["ABORTED", true, 0, 4],
  ["CANCELLED", true, 0, 4],
  ["INVALID_ARGUMENT", false, 0, 4],
  ["FAILED_PRECONDITION", false, 0, 4],
  ["INTERNAL", false, 0, 4],
])("%s: tried again %s, after %i ms at least, %i times", (code, transient, floorMs, tries) => {
  const error = failure(code);
  expect(isTransient(error)).toBe(transient);
  expect(triesFor(error, false, defaultRetryPolicy)).toBe(tries);
  expect(retryDelayMs(error, 3, { ...defaultRetryPolicy, random: () => 0 })).toBe(floorMs);
});

test("an address at which nobody was ever found is given up soon, one that was there is waited for", () => {
  const error = new RaglineError("UNAVAILABLE", "NOT_REACHABLE", "m");
  expect([triesFor(error, false, defaultRetryPolicy), triesFor(error, true, defaultRetryPolicy)]).toEqual([2, 4]);
  expect(retryDelayMs(error, 1, { ...defaultRetryPolicy, random: () => 0 })).toBe(0);
});

test("an error of another kind is not transient", () => {
  expect(isTransient(new Error("UNAVAILABLE"))).toBe(false);
});

test("the delay is what was asked for and a part of a span that doubles up to its limit", () => {
  fc.assert(
    fc.property(
      fc.nat(30_000),
      fc.integer({ min: 1, max: 40 }),
      fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
      (asked, failures, share) => {
        const policy = { ...defaultRetryPolicy, baseMs: 250, maxMs: 4000, random: () => share };
        const jitter = retryDelayMs(failure("UNAVAILABLE", asked), failures, policy) - asked;
        expect(jitter).toBeCloseTo(share * Math.min(4000, 250 * 2 ** (failures - 1)), 5);
      },
    ),
    { seed: 5 },
  );
});
