import { expect, test } from "vitest";
import { formatResults, selectSteps, testSteps } from "./test-steps.mjs";

test("all steps without a name, the named ones in their order, and a sentence for an unknown name", () => {
  expect(selectSteps([])).toEqual(testSteps);
  expect(selectSteps(["tests", "build"]).map(({ name }) => name)).toEqual(["build", "tests"]);
  expect(() => selectSteps(["build", "typo"])).toThrow(/^There is no step "typo"\. The steps are build, .*, tests\.$/);
});

test("the table has a line per step and names what failed", () => {
  const build = { name: "build", code: 0, seconds: 12.34 };
  expect(formatResults([build])).toBe(
    [
      "step             result        seconds",
      "build            ok               12.3",
      "",
      "All 1 steps passed.",
    ].join("\n"),
  );
  expect(
    formatResults([build, { name: "lint", code: 2, seconds: 0 }])
      .split("\n")
      .slice(2),
  ).toEqual(["lint             FAILED (2)        0.0", "", "1 of 2 steps failed: lint."]);
});
