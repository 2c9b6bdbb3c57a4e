import fc from "fast-check";
import { expect, test } from "vitest";
import { comparedWords, NearDuplicates, nearDuplicateSimilarity, textKey } from "../index.js";

function duplicatesOf(answer: string, others: readonly string[]): number[] {
  const duplicates = new NearDuplicates();
  duplicates.addAnswer(0, comparedWords(answer));
  for (const [i, text] of [answer, ...others].entries()) duplicates.compare(i, comparedWords(text));
  return [...duplicates.rowsOf(0)].sort((a, b) => a - b);
}

const numbers = (from: number, to: number): string =>
  Array.from({ length: to - from }, (_, i) => `word${from + i}`).join(" ");

test.each<[what: string, other: string, isDuplicate: boolean]>([
  ["the same", numbers(0, 40), true],
  ["other marks and case", `# **${numbers(0, 40).toUpperCase()}**!\n`, true],
  // Another word changes three of the 38 triples on either side: 35 / 41 = 0.85.
  ["one other word", numbers(0, 40).replace("word20", "else"), true],
  // Two changes far apart: 32 / 44 = 0.73.
  ["two other words", numbers(0, 40).replace("word10", "else").replace("word30", "else"), false],
  ["a part", numbers(0, 30), false],
  ["the words in another order", numbers(20, 40) + " " + numbers(0, 20), true],
  ["nothing in common", numbers(100, 140), false],
  ["no words", "---", false],
])("%s", (_, other, isDuplicate) => {
  expect(duplicatesOf(numbers(0, 40), [other])).toEqual(isDuplicate ? [0, 1] : [0]);
});

test("short texts are the same or not; texts without words are like nothing", () => {
  expect(duplicatesOf("one two", ["One, two.", "one", "one two three"])).toEqual([0, 1]);
  expect(duplicatesOf("---", ["***", "---"])).toEqual([0]);
});

test("a row that is no answer is right where it is itself", () => {
  expect([...new NearDuplicates().rowsOf(7)]).toEqual([7]);
});

test("it is exactly the Jaccard similarity of word triples", () => {
  const text = fc.array(fc.constantFrom("a", "b", "c"), { maxLength: 12 });
  const triples = (words: readonly string[]) =>
    new Set(
      words.length === 0
        ? []
        : Array.from({ length: Math.max(1, words.length - 2) }, (_, i) => words.slice(i, i + 3).join(" ")),
    );
  fc.assert(
    fc.property(text, text, (a, b) => {
      const [left, right] = [triples(a), triples(b)];
      const shared = [...left].filter((triple) => right.has(triple)).length;
      const similarity = shared / Math.max(1, left.size + right.size - shared);
      const expected = shared > 0 && similarity >= nearDuplicateSimilarity;
      expect(duplicatesOf(a.join(" "), [b.join(" ")]).includes(1)).toBe(expected);
    }),
    { seed: 1, numRuns: 300 },
  );
});

test("keys are those of the words alone", () => {
  const keyOf = (text: string) => textKey(comparedWords(text));
  expect(keyOf("One *two*")).toBe(keyOf("one, TWO"));
  expect(keyOf("one two")).not.toBe(keyOf("two one"));
});
