import fc from "fast-check";
import { expect, test } from "vitest";
import { chunkFileNames } from "./chunk-file-names.js";

test.each([
  [["a.md"], ["a_chunks.json"]],
  [
    ["notes/search.txt", "b.md"],
    ["notes_search_chunks.json", "b_chunks.json"],
  ],
  [
    ["a.md", "a.txt", "c.md"],
    ["a.md_chunks.json", "a.txt_chunks.json", "c_chunks.json"],
  ],
  [
    ["README", "x/.hidden.md", "A.md", "a.html"],
    ["README_chunks.json", "x_.hidden_chunks.json", "A.md_chunks.json", "a.html_chunks.json"],
  ],
  [
    ["ünï cödé.md", "a:b?.md"],
    ["ünï cödé_chunks.json", "a_b__chunks.json"],
  ],
])("%j are %j", (paths, expected) => {
  const names = chunkFileNames(paths);
  expect(paths.map((path) => names.get(path))).toEqual(expected);
});

test("names are unique, in lower case too, fit a file system and have no separator", () => {
  const part = fc.oneof(
    fc.string({ unit: "binary", minLength: 1, maxLength: 12 }),
    fc.constantFrom("a", "A", "a_b", "b", ".md", "x".repeat(300)),
  );
  const path = fc
    .tuple(part, part, fc.constantFrom("/", "_", "."), fc.constantFrom(".md", ".txt", ""))
    .map(([a, b, by, end]) => a + by + b + end);
  fc.assert(
    fc.property(fc.uniqueArray(path, { maxLength: 20 }), (paths) => {
      const names = [...chunkFileNames(paths).values()];
      expect(new Set(names.map((name) => name.toLowerCase())).size).toBe(paths.length);
      for (const name of names) {
        expect(Buffer.byteLength(name)).toBeLessThanOrEqual(255);
        expect(name).toMatch(/^[^/\\]+_chunks\.json$/);
      }
    }),
    { numRuns: 60, seed: 4 },
  );
});
