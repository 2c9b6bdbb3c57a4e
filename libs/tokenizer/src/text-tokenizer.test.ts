import { readFileSync } from "node:fs";
import { join } from "node:path";
import { embeddedModelsDir } from "@ragline/models";
import { expect, test } from "vitest";
import { TextTokenizer } from "./index.js";

const read = (folder: string, file: string): string => join(embeddedModelsDir, folder, file);
const reference = <T>(folder: string): T => JSON.parse(readFileSync(read(folder, "reference.json"), "utf8")) as T;

test.each(["bge-small-en-v1.5", "all-MiniLM-L6-v2"])("%s: token ids equal the reference exactly", (folder) => {
  const { texts, token_ids, max_tokens } = reference<{ texts: string[]; token_ids: number[][]; max_tokens: number }>(
    folder,
  );
  const tokenizer = TextTokenizer.fromFile(read(folder, "tokenizer.json"));
  expect(texts.map((text) => [...tokenizer.encode(text, max_tokens).ids])).toEqual(token_ids);
});

test("splade-tiny: token ids equal the reference exactly", () => {
  const { rows, max_tokens } = reference<{ rows: { text: string; token_ids: number[] }[]; max_tokens: number }>(
    "splade-tiny",
  );
  const tokenizer = TextTokenizer.fromFile(read("splade-tiny", "tokenizer.json"));
  for (const { text, token_ids } of rows) expect([...tokenizer.encode(text, max_tokens).ids]).toEqual(token_ids);
});

test("cross encoder: pair ids and type ids equal the reference exactly", () => {
  interface Row {
    query: string;
    passage: string;
    token_ids: number[];
    type_ids: number[];
  }
  const { rows, max_tokens } = reference<{ rows: Row[]; max_tokens: number }>("qa-minilm-l6-cross-encoder");
  const tokenizer = TextTokenizer.fromFile(read("qa-minilm-l6-cross-encoder", "tokenizer.json"));
  for (const { query, passage, token_ids, type_ids } of rows) {
    const { ids, secondTypeFrom } = tokenizer.encodePair(query, passage, max_tokens);
    expect([...ids]).toEqual(token_ids);
    expect(token_ids.map((_, i) => (i < (secondTypeFrom ?? ids.length) ? 0 : 1))).toEqual(type_ids);
  }
});

const tokenizer = TextTokenizer.fromFile(read("all-MiniLM-L6-v2", "tokenizer.json"));

test.each([
  ["", [101, 102], false],
  [" \t\n ", [101, 102], false],
  ["a", [101, 1037, 102], false],
  ["a ".repeat(6), [101, 1037, 1037, 1037, 1037, 1037, 1037, 102], false],
  ["a ".repeat(7), [101, 1037, 1037, 1037, 1037, 1037, 1037, 102], true],
])("%j is cut to 8 tokens and keeps its specials", (text, ids, truncated) => {
  const sequence = tokenizer.encode(text, 8);
  expect([...sequence.ids]).toEqual(ids);
  expect(sequence.truncated).toBe(truncated);
});

test("the count of a text includes its specials", () => {
  expect(tokenizer.count("a a a")).toBe(5);
});

test.each([
  ["a", "a a a a a", [101, 1037, 102, 1037, 1037, 1037, 1037, 102], 3],
  ["a a a a a a a", "a", [101, 1037, 1037, 1037, 1037, 1037, 102, 102], 7],
])("of the pair (%j, %j) the passage is cut first", (query, passage, ids, secondTypeFrom) => {
  const sequence = tokenizer.encodePair(query, passage, 8);
  expect([...sequence.ids]).toEqual(ids);
  expect(sequence.secondTypeFrom).toBe(secondTypeFrom);
  expect(sequence.truncated).toBe(true);
});

test.each([
  ["{query} : {passage} !", "a", "b b", "[CLS] a : b b ! [SEP]", false],
  ["{query} : {passage} !", "a", "b b b b b b", "[CLS] a : b b b ! [SEP]", true],
  ["{passage} : {query} !", "a", "b b b b b b", "[CLS] b b b : a ! [SEP]", true],
  ["{query} : {passage} !", "a a a a a a a a", "b", "[CLS] a a a a a a [SEP]", true],
  ["{query} : {passage} !", "{passage}", "$&", "[CLS] { passage } : $ ! [SEP]", true],
])("of the template %j with %j and %j the passage is cut first", (template, query, passage, expected, truncated) => {
  const sequence = tokenizer.encodePair(query, passage, 8, { template });
  expect(Array.from(sequence.ids, (id) => tokenizer.token(id)).join(" ")).toBe(expected);
  expect(sequence.truncated).toBe(truncated);
  expect(sequence.secondTypeFrom).toBeUndefined();
});

test("a text of 1,000,000 characters is cut, whatever it is made of", () => {
  for (const text of ["word ".repeat(200_000), "汉".repeat(1_000_000)]) {
    const sequence = tokenizer.encode(text, 256);
    expect(sequence.ids.length).toBe(256);
    expect(sequence.truncated).toBe(true);
  }
});

test.each(["", "passage: ", "passage:\n", "passage:", "é [SEP]\t"])(
  "texts are counted behind the prefix %j as with it",
  (prefix) => {
    const count = tokenizer.counterBehind(prefix);
    for (const text of [
      "",
      "word",
      "two words",
      " led by a space",
      "\u0301 a mark",
      "[SEP]",
      "##ing",
      "漢字",
      ": colon",
    ])
      expect(count(text)).toBe(tokenizer.count(prefix + text));
  },
);
