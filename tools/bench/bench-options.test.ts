import { expect, test } from "vitest";
import { parseBenchOptions } from "./bench-options.js";

test.each([
  { args: [], options: { rounds: 3, limit: undefined, whole: false, json: false } },
  { args: ["--json", "--rounds", "5", "--whole"], options: { rounds: 5, limit: undefined, whole: true, json: true } },
  { args: ["--limit=16"], options: { rounds: 3, limit: 16, whole: false, json: false } },
])("reads $args", ({ args, options }) => {
  expect(parseBenchOptions(args, 3)).toEqual(options);
});

test.each([
  { args: ["--rounds", "0"], says: '--rounds takes a whole number from 1, not "0"' },
  { args: ["--limit", "some"], says: '--limit takes a whole number from 1, not "some"' },
  { args: ["--fast"], says: "--fast" },
])("refuses $args", ({ args, says }) => {
  expect(() => parseBenchOptions(args, 3)).toThrow(says);
});
