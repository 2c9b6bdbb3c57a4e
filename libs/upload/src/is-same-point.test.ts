import { expect, test } from "vitest";
import { isSamePoint } from "./is-same-point.js";
import type { Point } from "./point-problem.js";

const point: Point = {
  id: "a",
  vector: { small: [0.6, 0.8], words: { indices: [7, 3], values: [1.5, 2] } },
  payload: { text: "x", stats: { norm: 10.618583679199219 }, list: [1, null, "b"] },
};

test.each<[what: string, stored: unknown, same: boolean]>([
  ["itself", point, true],
  [
    "rounded, and sparse in another order",
    { ...point, vector: { small: [0.6000001, 0.8], words: { indices: [3, 7], values: [2, 1.5] } } },
    true,
  ],
  ["the last digit of a number", { ...point, payload: { ...point.payload, stats: { norm: 10.61858367919922 } } }, true],
  ["another number", { ...point, payload: { ...point.payload, stats: { norm: 10.6186 } } }, false],
  ["another text", { ...point, payload: { ...point.payload, text: "y" } }, false],
  ["a further key", { ...point, payload: { ...point.payload, more: 1 } }, false],
  ["a list of other values", { ...point, payload: { ...point.payload, list: [1, null, "c"] } }, false],
  ["a list for an object", { ...point, payload: { ...point.payload, stats: [10] } }, false],
  ["another component", { ...point, vector: { ...point.vector, small: [0.8, 0.6] } }, false],
  [
    "another sparse value",
    { ...point, vector: { ...point.vector, words: { indices: [7, 3], values: [1.5, 3] } } },
    false,
  ],
  ["another index", { ...point, vector: { ...point.vector, words: { indices: [7, 4], values: [1.5, 2] } } }, false],
  ["no sparse vector", { ...point, vector: { small: [0.6, 0.8] } }, false],
  ["dense for sparse", { ...point, vector: { ...point.vector, words: [1.5, 2] } }, false],
  ["another id", { ...point, id: "b" }, false],
  ["something else", { result: 1 }, false],
])("%s", (_, stored, same) => {
  expect(isSamePoint(stored, point)).toBe(same);
});
