import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { embeddedModelsDir } from "@ragline/models";
import { TextTokenizer } from "@ragline/tokenizer";
import fc from "fast-check";
import { Tokenizer as RustTokenizer } from "tokenizers";
import { describe, expect, test } from "vitest";
import { families } from "./family.fixture.js";

const fixtures = fileURLToPath(new URL("../fixtures/families", import.meta.url));
const files = [
  ...families.map((name) => join(fixtures, name, "tokenizer.json")),
  join(embeddedModelsDir, "bge-small-en-v1.5", "tokenizer.json"),
];

// Text of every script, with marks, controls and odd white space, and words that the small vocabularies know.
const text = fc
  .array(
    fc.oneof(
      fc.string({ unit: "grapheme", maxLength: 12 }),
      fc.string({ unit: "binary", maxLength: 12 }),
      fc.uint8Array({ maxLength: 12 }).map((bytes) => new TextDecoder().decode(bytes)),
      fc.constantFrom(
        " ",
        "  ",
        "\t",
        "\n",
        "\u00a0",
        "\u3000",
        "\u0085",
        "\ufeff",
        "[MASK]",
        "<mask>",
        "token",
        "-----------",
      ),
    ),
    { maxLength: 12 },
  )
  .map((parts) => parts.join(""));

describe.each(files)("%s", (path) => {
  const rust = RustTokenizer.fromString(
    JSON.stringify({ ...(JSON.parse(readFileSync(path, "utf8")) as object), truncation: null, padding: null }),
  );

  test("ids and types equal those of Hugging Face's Rust library, alone and as a pair", async () => {
    const tokenizer = await TextTokenizer.open(path);
    await fc.assert(
      fc.asyncProperty(text, text, async (first, second) => {
        expect(Array.from(tokenizer.encode(first, 1e6).ids)).toEqual((await rust.encode(first)).getIds());
        const { ids, secondTypeFrom = ids.length } = tokenizer.encodePair(first, second, 1e6);
        const expected = await rust.encode(first, second);
        expect(Array.from(ids)).toEqual(expected.getIds());
        expect(Array.from(ids, (_, at) => (at < secondTypeFrom ? 0 : 1))).toEqual(expected.getTypeIds());
      }),
      { numRuns: 60, seed: 20261126 },
    );
  });

  test("a long text has the tokens that the Rust library makes of it whole", async () => {
    const tokenizer = await TextTokenizer.open(path);
    const long = "Café naïve 日本語 text, १२३ मात्रा  and Ελληνικά. ".repeat(400);
    expect(Array.from(tokenizer.encode(long, 1e6).ids)).toEqual((await rust.encode(long)).getIds());
  });
});

test("a tokenizer whose rules are not supported is refused by its file's name", async () => {
  const path = files.at(-1) ?? "";
  const definition = JSON.parse(readFileSync(path, "utf8")) as { added_tokens: object[] };
  const [first] = definition.added_tokens;
  const odd = { ...definition, added_tokens: [{ ...first, content: "odd", id: 30_000, single_word: true }] };
  expect(() => new TextTokenizer(odd)).toThrow('added token "odd" has single_word, which is not supported');
  await expect(TextTokenizer.open(`${path}.absent`)).rejects.toThrow(/absent cannot be used: ENOENT/);
});
