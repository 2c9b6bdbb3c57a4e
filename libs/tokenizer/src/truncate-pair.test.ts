import fc from "fast-check";
import { expect, test } from "vitest";
import { truncateLongestFirst, truncateOnlySecond } from "./truncate-pair.js";

test.each([
  [5, 5, 10, 5, 5],
  [9, 9, 10, 5, 5],
  [9, 9, 11, 5, 6],
  [12, 9, 11, 6, 5],
  [2, 20, 10, 2, 8],
  [20, 2, 10, 8, 2],
])("of %i and %i tokens in room for %i, longest_first keeps %i and %i", (a, b, room, first, second) => {
  expect(truncateLongestFirst(a, b, room)).toEqual({ first, second });
});

test("no strategy keeps more than there is or more than there is room for, and each fills the room", () => {
  const count = fc.nat(50);
  fc.assert(
    fc.property(count, count, count, (a, b, room) => {
      for (const { first, second } of [truncateOnlySecond(a, b, room), truncateLongestFirst(a, b, room)]) {
        expect(first).toBeLessThanOrEqual(a);
        expect(second).toBeLessThanOrEqual(b);
        expect(first + second).toBe(Math.min(a + b, room));
      }
    }),
  );
});
