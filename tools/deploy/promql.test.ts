import { expect, test } from "vitest";
import { readQuery } from "./promql.js";

test("metrics, their labels and the labels of groupings are read", () => {
  const { selectors, grouping } = readQuery(
    'sum by (job, le) (rate(a_bucket{le="10", job!~"x.*"}[5m] offset 1m)) / on (job) group_left (stage) b:c > 3',
  );
  expect(selectors).toEqual([
    { metric: "a_bucket", labels: ["le", "job"] },
    { metric: "b:c", labels: [] },
  ]);
  expect(grouping).toEqual(["job", "le", "job", "stage"]);
});

test.each(["sum(", "rate(a[5m]", "a b", '{job="x"}', ""])("%j is refused", (query) => {
  expect(() => readQuery(query)).toThrow(/no PromQL|without a metric's name/);
});
