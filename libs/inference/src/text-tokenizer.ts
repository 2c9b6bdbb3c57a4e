import { readFileSync } from "node:fs";
import { Tokenizer } from "@huggingface/tokenizers";
import { splitsAtWhiteSpace } from "./splits-at-white-space.js";

/** The tokens of one input, cut to what the model takes. */
export interface TokenSequence {
  readonly ids: Int32Array;
  /** Index in `ids` from which on tokens are of the second type; absent when all are of the first. */
  readonly secondTypeFrom?: number;
  /** Whether tokens were cut off. */
  readonly truncated: boolean;
}

/** Positions of the sequences that were cut. */
export function truncatedPositions(sequences: readonly TokenSequence[]): number[] {
  return sequences.flatMap(({ truncated }, position) => (truncated ? [position] : []));
}

const probe = "a";

/**
 * A model's tokenizer as published in `tokenizer.json`, with truncation of our own: the file's padding and
 * truncation are not read, because they belong to how the model was trained or packaged, not to how it is used.
 */
export class TextTokenizer {
  /** Whether no token reaches across white space, so that a text has as many tokens as its words together. */
  readonly isSeparable: boolean;
  readonly #tokenizer: Tokenizer;
  readonly #single: { before: number[]; after: number[] };
  readonly #pair: { before: number[]; between: number[]; after: number[] };

  /** @param definition the parsed `tokenizer.json`. */
  constructor(definition: object) {
    this.#tokenizer = new Tokenizer(definition, {});
    this.isSeparable = splitsAtWhiteSpace(definition);
    const [token] = this.#content(probe);
    if (token === undefined) throw new Error(`the tokenizer makes no token of "${probe}"`);
    const single = this.#tokenizer.encode(probe).ids;
    const at = single.indexOf(token);
    this.#single = { before: single.slice(0, at), after: single.slice(at + 1) };
    const pair = this.#tokenizer.encode(probe, { text_pair: probe }).ids;
    const [first, last] = [pair.indexOf(token), pair.lastIndexOf(token)];
    this.#pair = { before: pair.slice(0, first), between: pair.slice(first + 1, last), after: pair.slice(last + 1) };
  }

  /** Reads a `tokenizer.json`. */
  static fromFile(path: string): TextTokenizer {
    return new TextTokenizer(JSON.parse(readFileSync(path, "utf8")) as object);
  }

  /** How many tokens the text takes, specials included. */
  count(text: string): number {
    return this.#single.before.length + this.#content(text).length + this.#single.after.length;
  }

  /** The tokens of a text with the model's specials; what exceeds `maxTokens` is cut from the end of the text. */
  encode(text: string, maxTokens: number): TokenSequence {
    const { before, after } = this.#single;
    const content = this.#content(text);
    const room = Math.max(0, maxTokens - before.length - after.length);
    return { ids: Int32Array.from([...before, ...content.slice(0, room), ...after]), truncated: content.length > room };
  }

  /** The tokens of a (query, passage) pair. The passage is cut first; the query only where it alone leaves no room. */
  encodePair(query: string, passage: string, maxTokens: number): TokenSequence {
    const { before, between, after } = this.#pair;
    const room = Math.max(0, maxTokens - before.length - between.length - after.length);
    const first = this.#content(query);
    const second = this.#content(passage);
    const keptFirst = first.slice(0, room);
    const keptSecond = second.slice(0, room - keptFirst.length);
    return {
      ids: Int32Array.from([...before, ...keptFirst, ...between, ...keptSecond, ...after]),
      secondTypeFrom: before.length + keptFirst.length + between.length,
      truncated: keptFirst.length < first.length || keptSecond.length < second.length,
    };
  }

  /** The token with an id; empty when the vocabulary has none. */
  token(id: number): string {
    return this.#tokenizer.id_to_token(id) ?? "";
  }

  #content(text: string): number[] {
    return this.#tokenizer.encode(text, { add_special_tokens: false }).ids;
  }
}
