import { Tokenizer as RustTokenizer } from "tokenizers";
import { TokenizerError } from "./tokenizer-error.js";

/** Texts that tell tokenizers apart: scripts with marks, compatibility forms, odd white space, emoji, long words. */
const probes: readonly string[] = [
  "",
  " ",
  "Hello, World! It's 3.14 o'clock; we'll see.",
  "  leading and  double   spaces\tand\ttabs \n\n lines\r\nend  ",
  "café CAFÉ naïve e\u0301 Å Ångström ﬁne ㎏ ½ ² İstanbul ß ſ",
  "Ünïcödé ŁÓDŹ Ελληνικά Привет мир",
  "日本語のテキスト 中文文本 한국어 텍스트",
  "العربية مُشَكَّلَة עִבְרִית हिन्दी में पाठ ไทย தமிழ்",
  "👩‍👩‍👧‍👦 🇩🇪 😀😀 \u200b\u200d\ufeff",
  "a\u00a0b\u2003c\u3000d\u0085e\u2028f",
  "x".repeat(150),
  "\u0000\u0001\u001f\u007f\ufffd",
  "▁ ▁▁under ▁scored",
  "foo_bar(baz) => {x: [1, 2]}; // note <b>&amp;</b> `code` ``quoted''",
  "1234567890 1,000,000.00 0xFF 1e-5 v1.2.3",
];

/** A text, or a pair, that was encoded here. */
interface Encoded {
  readonly ids: Int32Array;
  /** Index from which on tokens are of the second type; absent when all are of the first. */
  readonly secondTypeFrom?: number;
}

/**
 * Compares ids and token types with those of Hugging Face's Rust library, for texts that are hard to tokenise, for each
 * added token of the file between two words, and for a pair.
 * @param json text of the `tokenizer.json`.
 * @throws TokenizerError naming the first text whose ids or types differ.
 */
export async function checkTokenizer(json: string, encode: (text: string, pair?: string) => Encoded): Promise<void> {
  const rust = RustTokenizer.fromString(json);
  rust.disablePadding();
  rust.disableTruncation();
  const { added_tokens: added = [] } = JSON.parse(json) as { added_tokens?: { content: string }[] };
  const texts = [...probes, ...added.slice(0, 64).map(({ content }) => `a ${content} b${content}`)];
  for (const [text, pair] of [...texts.map((one) => [one] as const), ["Hello, World!", "a b c"] as const]) {
    const expected = await rust.encode(text, pair);
    const found = encode(text, pair);
    const what = pair === undefined ? JSON.stringify(text) : `the pair ${JSON.stringify([text, pair])}`;
    compare(`ids differ from those of Hugging Face's tokenizers for ${what}`, expected.getIds(), found.ids);
    const types = found.ids.map((_, at) => (at < (found.secondTypeFrom ?? found.ids.length) ? 0 : 1));
    compare(`token types differ from those of Hugging Face's tokenizers for ${what}`, expected.getTypeIds(), types);
  }
}

function compare(problem: string, expected: readonly number[], found: Int32Array): void {
  const at = expected.findIndex((id, position) => found[position] !== id);
  if (at === -1 && found.length === expected.length) return;
  throw new TokenizerError(
    `its ${problem}: expected ${describeIds(expected, at)}, found ${describeIds(Array.from(found), at)}`,
  );
}

function describeIds(ids: readonly number[], at: number): string {
  const from = Math.max(0, at === -1 ? ids.length - 5 : at - 2);
  return `${from > 0 ? "... " : ""}${ids.slice(from, from + 8).join(" ")} (${ids.length} tokens)`;
}
