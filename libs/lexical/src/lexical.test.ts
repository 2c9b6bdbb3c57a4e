import fc from "fast-check";
import { expect, test } from "vitest";
import { Bm25, countWords } from "./index.js";
import { forEachTerm, termId } from "./terms.js";

function stems(text: string): string[] {
  const found: string[] = [];
  forEachTerm(text, (term) => found.push(term.stem));
  return found;
}

// mmh3.hash in Python gives -156908512, 613153351 and 0.
test.each([
  ["foo", 156908512],
  ["hello", 613153351],
  ["", 0],
])("the id of %j is |mmh3.hash|", (stem, id) => {
  expect(termId(stem)).toBe(id);
});

test("ids hash UTF-8 bytes, any script and length", () => {
  fc.assert(
    fc.property(fc.string({ unit: "grapheme", maxLength: 12 }), (stem) => {
      expect(termId(stem)).toBe(Math.abs(murmur3(new TextEncoder().encode(stem))));
    }),
  );
});

/** MurmurHash3_x86_32 with seed 0, written from its definition with BigInt products, as a signed integer. */
function murmur3(bytes: Uint8Array): number {
  const multiply = (a: number, b: bigint) => Number(BigInt.asIntN(32, BigInt(a) * b));
  const rotate = (a: number, by: number) => (a << by) | (a >>> (32 - by));
  const mix = (k: number) => multiply(rotate(multiply(k, 0xcc9e2d51n), 15), 0x1b873593n);
  let hash = 0;
  let at = 0;
  for (; at + 4 <= bytes.length; at += 4) {
    const block = new DataView(bytes.buffer, bytes.byteOffset + at, 4).getInt32(0, true);
    hash = (multiply(rotate(hash ^ mix(block), 13), 5n) + 0xe6546b64) | 0;
  }
  let tail = 0;
  for (let i = bytes.length - 1; i >= at; i--) tail = (tail << 8) | (bytes[i] ?? 0);
  if (at < bytes.length) hash ^= mix(tail);
  hash ^= bytes.length;
  hash = multiply(hash ^ (hash >>> 16), 0x85ebca6bn);
  hash = multiply(hash ^ (hash >>> 13), 0xc2b2ae35n);
  return hash ^ (hash >>> 16);
}

// Pairs from Snowball's own English vocabulary.
test.each([
  ["consistency", "consist"],
  ["knightly", "knight"],
  ["generously", "generous"],
  ["communication", "communic"],
  ["arsenal", "arsenal"],
  ["skies", "sky"],
  ["dying", "die"],
  ["news", "news"],
  ["herring", "herring"],
  ["proceed", "proceed"],
  ["happily", "happili"],
  ["hopping", "hop"],
  ["hoping", "hope"],
  ["relational", "relat"],
  ["conditional", "condit"],
  ["electricity", "electr"],
  ["cries", "cri"],
  ["ties", "tie"],
  ["gas", "gas"],
  ["agreed", "agre"],
  ["luxuriating", "luxuri"],
  ["youth", "youth"],
])("Snowball English stems %s to %s", (word, stem) => {
  expect(stems(word)).toEqual([stem]);
});

test.each([
  ["The cats don't sit", ["cat", "sit"]],
  ["snake_case _ __init__ C++", ["snake_cas", "__init__", "c"]],
  ["HTTP/2: v1.30", ["http", "2", "v1", "30"]],
  ["naïve Straße ÉTÉ 東京タワー Привет", ["naïv", "straße", "été", "東京タワー", "привет"]],
  ["İstanbul", ["stanbul"]],
  [`${"x".repeat(40)} ${"y".repeat(41)} ${"𝒳".repeat(40)}`, ["x".repeat(40), "𝒳".repeat(40)]],
  ["\ud800 lone \udc00", ["lone"]],
  ["", []],
])("words of %j", (text, expected) => {
  expect(stems(text)).toEqual(expected);
});

test("the value is Qdrant's formula over the words that are no stop words", () => {
  const { vector, tokens } = new Bm25({ averageLength: 4 }).document("the fox and the Foxes jump over a dog");
  const value = (tf: number) => (tf * 2.2) / (tf + 1.2 * (1 - 0.75 + (0.75 * 4) / 4));
  const byStem = new Map(tokens.map((token, i) => [token, vector.values[i]]));
  expect(countWords("the fox and the Foxes jump over a dog")).toBe(4);
  expect(byStem).toEqual(new Map(tokens.map((token) => [token, Math.fround(token === "fox" ? value(2) : value(1))])));
  expect([...tokens].sort()).toEqual(["dog", "fox", "jump"]);
});

test("a query weighs each distinct stem 1", () => {
  const { vector, tokens } = new Bm25().query("export exports of the document");
  expect([...tokens].sort()).toEqual(["document", "export"]);
  expect([...vector.values]).toEqual([1, 1]);
});

test("any text gives strictly increasing indices, positive finite values and one token each", () => {
  const bm25 = new Bm25();
  fc.assert(
    fc.property(fc.oneof(fc.string({ unit: "binary" }), fc.lorem({ maxCount: 60 })), (text) => {
      const { vector, tokens } = bm25.document(text);
      expect(tokens).toHaveLength(vector.indices.length);
      expect(vector.values).toHaveLength(vector.indices.length);
      vector.indices.forEach((id, i) => {
        expect(id).toBe(termId(tokens[i] ?? ""));
        if (i > 0) expect(id).toBeGreaterThan(vector.indices[i - 1] ?? Infinity);
        expect(vector.values[i]).toBeGreaterThan(0);
        expect(vector.values[i]).toBeLessThan(2.2);
      });
      expect(bm25.query(text).vector.indices).toEqual(vector.indices);
    }),
  );
});

test.each([
  ["one word of 20 million letters", "x".repeat(20_000_000), 0],
  ["a million signs", "+".repeat(1_000_000), 0],
  ["half a million words", "x ".repeat(500_000), 500_000],
  ["a million spaces", " ".repeat(1_000_000), 0],
  ["a million surrogate halves", "\ud835".repeat(1_000_000), 0],
  ["40,000 distinct words, more than are cached", Array.from({ length: 40_000 }, (_, i) => `w${i}`).join(" "), 40_000],
])("%s", (_, text, words) => {
  expect(countWords(text)).toBe(words);
  expect(countWords(text)).toBe(words);
});

test.each([
  [{ k: -1 }, "BM25's k is -1"],
  [{ b: 2 }, "BM25's b is 2"],
  [{ averageLength: 0 }, "average length is 0"],
  [{ averageLength: Number.NaN }, "average length is NaN"],
])("options %j are refused", (options, message) => {
  expect(() => new Bm25(options)).toThrow(message);
});
