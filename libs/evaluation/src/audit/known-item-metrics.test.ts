import { expect, test } from "vitest";
import { answerRank, knownItemMetrics } from "../index.js";

test.each<[string, number[][], number[], [number, number, number]]>([
  ["first", [[7, 1]], [7], [1, 1, 1]],
  ["fourth", [[1, 2, 3, 7]], [7], [0, 1, 1 / 4]],
  ["eleventh", [[0, 1, 2, 3, 4, 5, 6, 8, 9, 10, 7]], [7], [0, 0, 0]],
  ["absent", [[]], [7], [0, 0, 0]],
  ["mixed", [[7], [1, 7], [1], [1]], [7, 7, 7, 7], [0.25, 0.5, 1.5 / 4]],
  ["no query", [], [], [0, 0, 0]],
])("answer %s", (_, rankings, answers, [hitAt1, hitAt10, mrrAt10]) => {
  const ranks = rankings.map((rows, i) => answerRank(rows, new Set([answers[i] ?? -1])));
  expect(knownItemMetrics(ranks)).toEqual({ queries: rankings.length, hitAt1, hitAt10, mrrAt10 });
});

test("of several right rows the best one counts", () => {
  expect(answerRank([4, 9, 2], new Set([2, 9]))).toBe(2);
});
