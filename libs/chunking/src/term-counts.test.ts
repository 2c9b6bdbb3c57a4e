import fc from "fast-check";
import { expect, test } from "vitest";
import { countTerms } from "./term-counts.js";

test("the most frequent terms come first, equally frequent ones in order of appearance", () => {
  const terms = fc.array(
    fc.constantFrom(...Array.from("abcdefghijklmnopqrstuvwxyzéñ")).map((letter) => letter.repeat(3)),
  );
  fc.assert(
    fc.property(terms, (all) => {
      const counts = new Map<string, number>();
      for (const term of all) counts.set(term, (counts.get(term) ?? 0) + 1);
      const sorted = [...counts].sort(([, a], [, b]) => b - a);
      const expected = { top: sorted.slice(0, 20), unique: counts.size, total: all.length };
      expect(countTerms(all.join(" ").toUpperCase())).toEqual(expected);
    }),
    { seed: 4 },
  );
});

test.each([
  ["ab abc", ["abc"]],
  [`${"x".repeat(64)} ${"y".repeat(70)}`, ["x".repeat(64), "y".repeat(64), "yyyyyy"]],
  ["", []],
])("%j has the terms %j", (text, terms) => {
  expect(countTerms(text).top.map(([term]) => term)).toEqual(terms);
});
