import { strictEqual as equal } from "node:assert";
import type { SourceDocument } from "@ragline/documents";
import fc from "fast-check";
import { expect, test } from "vitest";
import { checked, countBytes, countTokens, countWords, raw, read, source } from "./documents.fixture.js";
import { chunkDocument, chunkStrategies } from "./index.js";

const piecesOf = (word: string): string[] => word.match(/[!-/:-@[-`{-~]|[^!-/:-@[-`{-~]+/g) ?? [word];
const counters = [
  { countTokens, separable: true },
  { countTokens, separable: true, piecesOf },
  { countTokens: countWords, separable: true },
  { countTokens: countWords },
  { countTokens: countBytes },
];
const options = fc.record({
  maxTokens: fc.integer({ min: 16, max: 120 }),
  counter: fc.constantFrom(...counters),
  overlapSentences: fc.nat(3),
  strategy: fc.constantFrom(...chunkStrategies),
});

test.each(["a.md", "a.txt", "a.html"])(
  "%s: every byte is in one core span or counted, in order, within the budget",
  async (name) => {
    await fc.assert(
      fc.asyncProperty(
        source,
        options,
        fc.array(fc.nat(2000), { maxLength: 4 }),
        async (text, { counter, ...chosen }, places) => {
          const document = await read(text, name);
          if (document === undefined) return;
          const turns = chosen.strategy === "semantic" ? turnsOf(document, places) : [];
          const all = { ...counter, ...chosen, turns };
          const chunks = checked(document, all);
          equal(JSON.stringify(chunkDocument(document, all).chunks), JSON.stringify(chunks));
          const cores = chunks.map(({ metadata }) => [Number(metadata.start_char), Number(metadata.end_char)]);
          for (const turn of turns)
            equal(
              cores.some(([start = 0, end = 0]) => start < turn && turn < end),
              false,
            );
        },
      ),
      { numRuns: 500, seed: 8 },
    );
  },
);

/** Offsets where words may begin: no white space, and not the middle of a surrogate pair. */
function turnsOf({ text }: SourceDocument, places: readonly number[]): number[] {
  const inside = places.filter(
    (at) => at > 0 && at < text.length && !/^[\s\udc00-\udfff]/.test(text.slice(at, at + 1)),
  );
  return [...new Set(inside)].sort((a, b) => a - b);
}

test("any string, well-formed or not, is chunked", () => {
  fc.assert(
    fc.property(
      fc.array(fc.oneof(fc.integer({ min: 0, max: 0xffff }), fc.integer({ min: 32, max: 126 })), { maxLength: 600 }),
      options,
      (codes, { counter, ...chosen }) => {
        checked(raw(String.fromCharCode(...codes)), { ...counter, ...chosen });
      },
    ),
    { numRuns: 1000, seed: 8 },
  );
});

test.each([
  ["a million letters", "x".repeat(1_000_000)],
  ["a million letters in sentences", "This is a sentence. ".repeat(50_000)],
  ["many combining marks", `a${"\u0301".repeat(200_000)}`],
  ["many surrogate halves", "\ud800".repeat(200_000)],
  ["a million line breaks", `a${"\n".repeat(1_000_000)}b`],
  ["a million spaces", `a${" ".repeat(1_000_000)}b`],
  ["a million Han characters", "漢字".repeat(500_000)],
  ["a line of ten million letters", `${"lorem ipsum dolor sit amet ".repeat(185_000)}${"x".repeat(5_000_000)}`],
])("%s are chunked in time that grows with the length", (_, text) => {
  expect(checked(raw(text), { maxTokens: 256, countTokens, separable: true }).length).toBeGreaterThan(0);
});

test("50,000 headings are chunked", async () => {
  const document = await read("# a\n".repeat(50_000));
  expect(document && checked(document, { maxTokens: 256, countTokens, separable: true }).length).toBeGreaterThan(100);
});

test("deep lists are chunked", async () => {
  const document = await read(Array.from({ length: 400 }, (_, i) => `${"  ".repeat(i)}- item ${i}`).join("\n"));
  expect(document && checked(document, { maxTokens: 64, countTokens, separable: true }).length).toBeGreaterThan(10);
});

const sectionText = fc
  .tuple(
    fc.lorem({ maxCount: 3 }),
    fc.array(fc.lorem({ mode: "sentences", maxCount: 6 }), { minLength: 1, maxLength: 9 }),
  )
  .map(([title, paragraphs]) => `# ${title}\n\n${paragraphs.join("\n\n")}\n\n`);
const sections = fc.array(sectionText, { minLength: 6, maxLength: 24 }).map((parts) => parts.join(""));

test("chunks of two documents joined are those of each, but for some at the seam", async () => {
  const coresOf = async (text: string) => {
    const document = await read(text);
    if (document === undefined) throw new Error("there is text");
    const { chunks } = chunkDocument(document, { maxTokens: 48, countTokens, separable: true });
    return chunks.map(({ metadata }) => [Number(metadata.start_char), Number(metadata.end_char)] as const);
  };
  const seam = 12 * 48 * 4;
  await fc.assert(
    fc.asyncProperty(sections, sections, async (a, b) => {
      const joined = new Set((await coresOf(a + b)).map(([start, end]) => `${start}-${end}`));
      for (const [start, end] of await coresOf(a))
        if (end < a.length - seam) equal(joined.has(`${start}-${end}`), true);
      for (const [start, end] of await coresOf(b))
        if (start > seam) equal(joined.has(`${start + a.length}-${end + a.length}`), true, `chunk at ${start} of b`);
    }),
    { numRuns: 40, seed: 8 },
  );
});

test("an edit leaves the content ids of chunks elsewhere as they are", async () => {
  const section = (i: number, body = "") =>
    `## Part ${i}\n\n${`Part ${i} says this and that of its own. `.repeat(6)}${body}\n\n`;
  const idsOf = async (edited: number) => {
    const document = await read(
      `# Guide\n\n${Array.from({ length: 20 }, (_, i) => section(i, i === edited ? "And this is new." : "")).join("")}`,
    );
    if (document === undefined) throw new Error("there is text");
    const { chunks } = chunkDocument(document, { maxTokens: 64, countTokens, separable: true });
    return new Set(chunks.map(({ metadata }) => metadata.content_id));
  };
  const before = await idsOf(-1);
  const after = await idsOf(10);
  expect([...before].filter((id) => !after.has(id)).length).toBeLessThanOrEqual(2);
  expect(before.size).toBeGreaterThan(20);
});
