import { readFileSync } from "node:fs";
import { join } from "node:path";
import { findModel, hasGraph, modelDirectory } from "@ragline/models";
import fc from "fast-check";
import { expect, test } from "vitest";
import { TextTokenizer } from "./index.js";
import { splitsAtWhiteSpace } from "./splits-at-white-space.js";

const models = ["bge-small-en-v1.5", "all-miniLM-l6"].map((name) => findModel(name, "dense")).filter(hasGraph);

test.each(models)("$key: a text has the tokens of its words", (model) => {
  const tokenizer = TextTokenizer.fromFile(join(modelDirectory(model), model.tokenizer.file.name));
  expect(tokenizer.isSeparable).toBe(true);
  const word = fc.oneof(
    fc.string({ unit: "binary" }),
    fc.lorem({ maxCount: 1 }),
    fc.constantFrom("[SEP]", "x".repeat(120), "\ufeff", "漢字"),
    fc
      .array(fc.constantFrom("a", "Ä", "e\u0301", "\u0338", "[", "SEP", "]", "/", ".", "#", "_", "7", "…", "漢"))
      .map((signs) => signs.join("")),
  );
  fc.assert(
    fc.property(fc.array(fc.tuple(word, fc.constantFrom(" ", "\t", "\n", "\r", " \n "))), (parts) => {
      const text = parts.flat().join("");
      const words = text.split(/[ \t\n\r]+/).filter((part) => part !== "");
      const sum = words.reduce((total, part) => total + tokenizer.count(part) - 2, 2);
      const pieces = words.flatMap((part) => tokenizer.piecesOf(part));
      expect(pieces.reduce((total, part) => total + tokenizer.count(part) - 2, 2)).toBe(sum);
      expect(sum).toBe(tokenizer.count(text));
    }),
    { numRuns: 500, seed: 3 },
  );
});

const bert = { normalizer: { type: "BertNormalizer" }, pre_tokenizer: { type: "BertPreTokenizer" } };

test.each([
  ["BERT's", bert, true],
  [
    "one that splits first",
    { pre_tokenizer: { type: "Sequence", pretokenizers: [{ type: "WhitespaceSplit" }, { type: "Metaspace" }] } },
    true,
  ],
  ["a byte-level one", { pre_tokenizer: { type: "ByteLevel" } }, false],
  ["one without a pre-tokenizer", { normalizer: { type: "BertNormalizer" } }, false],
  [
    "one whose normalizer replaces",
    { ...bert, normalizer: { type: "Sequence", normalizers: [{ type: "Replace" }] } },
    false,
  ],
  ["one with a token of several words", { ...bert, added_tokens: [{ content: "a b" }] }, false],
])("%s: %j is %s", (_, definition, expected) => {
  expect(splitsAtWhiteSpace(definition)).toBe(expected);
});

test("a tokenizer file is read as it is published", () => {
  const [model] = models;
  if (model === undefined) throw new Error("no model has a tokenizer");
  const path = join(modelDirectory(model), model.tokenizer.file.name);
  expect(splitsAtWhiteSpace(JSON.parse(readFileSync(path, "utf8")) as object)).toBe(true);
});
