import { expect, test } from "vitest";
import { ratioOf, spreadOf } from "./statistics.js";

test.each([
  { values: [3], median: 3, least: 3, most: 3 },
  { values: [9, 1, 5], median: 5, least: 1, most: 9 },
  { values: [10, 2, 4, 8], median: 6, least: 2, most: 10 },
])("spreads $values", ({ values, ...spread }) => {
  expect(spreadOf(values)).toEqual(spread);
});

test("compares round by round, not median by median", () => {
  expect(ratioOf([10, 40, 90], [10, 20, 30])).toEqual({ median: 2, least: 1, most: 3 });
});

test("refuses what cannot be compared", () => {
  expect(() => spreadOf([])).toThrow("no median of no numbers");
  expect(() => ratioOf([1, 2], [1])).toThrow("2 rounds against 1");
});
