import { readFileSync } from "node:fs";
import { join } from "node:path";
import { embeddedModelsDir } from "@ragline/models";
import fc from "fast-check";
import { Tokenizer as RustTokenizer } from "tokenizers";
import { expect, test } from "vitest";
import { plainWordIds } from "./plain-word-ids.js";

interface Definition {
  readonly model: {
    readonly type: string;
    readonly vocab: Readonly<Record<string, number>>;
    readonly unk_token: string;
  };
  readonly normalizer: object;
  readonly added_tokens: readonly { readonly content: string }[];
}

const definition = JSON.parse(
  readFileSync(join(embeddedModelsDir, "bge-small-en-v1.5", "tokenizer.json"), "utf8"),
) as Definition;

const idsBy = (definition: Definition) => {
  const ids = new Map(Object.entries(definition.model.vocab));
  return plainWordIds(definition, { tokens_to_ids: ids, unk_token_id: ids.get(definition.model.unk_token) ?? -1 });
};

const letters = fc.constantFrom(...Array.from("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"));
const known = Object.keys(definition.model.vocab).filter((token) => /^[a-z0-9]+$/.test(token));
const words = fc.oneof(
  fc.string({ unit: letters, minLength: 1, maxLength: 120 }),
  fc.array(fc.constantFrom(...known), { minLength: 1, maxLength: 4 }).map((parts) => parts.join("")),
);

test.each([
  ["as published", {}],
  ["that keeps upper case", { normalizer: { ...definition.normalizer, lowercase: false } }],
  ["without digits", { model: { ...definition.model, vocab: withoutDigits(definition.model.vocab) } }],
])("a vocabulary %s: words have the ids of Hugging Face's Rust library", async (_, change) => {
  const changed = { ...definition, ...change };
  const rust = RustTokenizer.fromString(JSON.stringify({ ...changed, truncation: null, padding: null }));
  const idsOf = idsBy(changed);
  await fc.assert(
    fc.asyncProperty(words, async (word) => {
      expect(idsOf?.(word)).toEqual((await rust.encode(word, null, { addSpecialTokens: false })).getIds());
    }),
    { numRuns: 300, seed: 11 },
  );
});

/** So that some words are unknown. */
function withoutDigits(vocab: Readonly<Record<string, number>>): Record<string, number> {
  return Object.fromEntries(Object.entries(vocab).filter(([token]) => !/^(?:##)?[0-9]$/.test(token)));
}

test.each(["", " ", "a b", "don't", "é", "漢", "a\u0000", "[CLS]"])("%j is no plain word", (text) => {
  expect(idsBy(definition)?.(text)).toBeUndefined();
});

test.each([
  ["another model", { model: { ...definition.model, type: "BPE" } }],
  ["another normalizer", { normalizer: { type: "Lowercase" } }],
  ["another splitter", { pre_tokenizer: { type: "Whitespace" } }],
  ["an added token that is a word", { added_tokens: [...definition.added_tokens, { content: "madeupword0" }] }],
])("with %s no word is looked up", (_, change) => {
  expect(idsBy({ ...definition, ...change })).toBeUndefined();
});
