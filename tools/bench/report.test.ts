import { expect, test } from "vitest";
import { reportText } from "./report.js";

const machine = {
  cpu: "a processor",
  cores: 2,
  memoryGiB: 24,
  system: "linux",
  node: "v20.20.2",
  onnxruntime: "1.30.0",
  autoPrecision: "int8",
  loadBefore: 0.1,
} as const;

test.each([
  { median: 0.95, aim: { atLeast: 0.9 }, says: ">= 0.9 met" },
  { median: 0.85, aim: { atLeast: 0.9 }, says: ">= 0.9 MISSED" },
  { median: 2.5, aim: { atMost: 3 }, says: "<= 3 met" },
  { median: 3.2, aim: { atMost: 3 }, says: "<= 3 MISSED" },
])("says of $median that it is $says", ({ median, aim, says }) => {
  const figures = [{ name: "ratio", unit: "", median, least: median, most: median, aim }];
  const report = { benchmark: "b", machine, rounds: 3, limit: null, seconds: 1, figures, notes: ["a note"] };
  expect(reportText(report)).toContain(says);
});
