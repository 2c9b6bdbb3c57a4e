import { readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { type ExactTokenizer, exactTokenizer, type TokenizerDefinition } from "./exact-tokenizer.js";
import { splitsAtWhiteSpace } from "./splits-at-white-space.js";
import { checkTokenizer } from "./tokenizer-check.js";
import { TokenizerError } from "./tokenizer-error.js";
import { truncateLongestFirst, truncateOnlySecond } from "./truncate-pair.js";
import { wordPieces } from "./word-pieces.js";

/** The tokens of one input, cut to what the model takes. */
export interface TokenSequence {
  readonly ids: Int32Array;
  /** Index in `ids` from which on tokens are of the second type; absent when all are of the first. */
  readonly secondTypeFrom?: number;
  /** Whether tokens were cut off. */
  readonly truncated: boolean;
  /** What stands in the places after the last token. @default 0 */
  readonly padId?: number;
}

/** How a (query, passage) pair becomes one sequence. */
export interface PairOptions {
  /** What is cut of a pair that is too long. @default "only_second" */
  readonly truncation?: "only_second" | "longest_first";
  /** The whole input with {query} and {passage}. @default the pair form of the tokenizer */
  readonly template?: string;
}

/** Positions of the sequences that were cut. */
export function truncatedPositions(sequences: readonly TokenSequence[]): number[] {
  return sequences.flatMap(({ truncated }, position) => (truncated ? [position] : []));
}

const probe = "a";
const padTokens = ["[PAD]", "<pad>", "<|endoftext|>", "<|pad|>", "</s>"];

function indexOfRun(all: readonly number[], run: readonly number[], from = 0): number {
  for (let at = from; at + run.length <= all.length; at++) if (run.every((id, i) => all[at + i] === id)) return at;
  throw new TokenizerError(`its tokenizer does not keep the tokens of "${probe}" together`);
}

/**
 * A model's tokenizer as published in `tokenizer.json`, with truncation of our own: the file's padding and
 * truncation are not read, because they belong to how the model was trained or packaged, not to how it is used.
 */
export class TextTokenizer {
  /** Whether no token reaches across white space, so that a text has as many tokens as its words together. */
  readonly isSeparable: boolean;
  /** Parts a word, a run without white space, into pieces that together have its tokens. */
  readonly piecesOf: (word: string) => readonly string[];
  readonly #tokenizer: ExactTokenizer;
  readonly #single: { before: number[]; after: number[] };
  readonly #pair: {
    before: number[];
    between: number[];
    after: number[];
    /** Where tokens of the second type begin, from the second text on; undefined where there are none. */
    secondTypeAt: number | undefined;
  };
  /** What stands in the places after the last token of a sequence. */
  readonly padId: number;

  /**
   * @param definition the parsed `tokenizer.json`.
   * @throws TokenizerError when it has rules that are not supported.
   */
  constructor(definition: object) {
    this.isSeparable = splitsAtWhiteSpace(definition);
    this.piecesOf = wordPieces(definition);
    this.#tokenizer = exactTokenizer(definition as TokenizerDefinition);
    const content = this.#tokenizer.content(probe);
    if (content.length === 0) throw new TokenizerError(`its tokenizer makes no token of "${probe}"`);
    const single = this.#tokenizer.withSpecials(probe);
    const at = indexOfRun(single, content);
    this.#single = { before: single.slice(0, at), after: single.slice(at + content.length) };
    const pair = this.#tokenizer.withSpecials(probe, probe);
    const first = indexOfRun(pair, content);
    const second = indexOfRun(pair, content, first + content.length);
    const typed = this.#tokenizer.pairTypes(probe, probe).indexOf(1);
    this.#pair = {
      before: pair.slice(0, first),
      between: pair.slice(first + content.length, second),
      after: pair.slice(second + content.length),
      secondTypeAt: typed === -1 ? undefined : typed - second,
    };
    this.padId = padTokens.map((token) => this.#tokenizer.idOf(token)).find((id) => id !== undefined) ?? 0;
  }

  /** Reads a `tokenizer.json`. */
  static fromFile(path: string): TextTokenizer {
    return new TextTokenizer(JSON.parse(readFileSync(path, "utf8")) as object);
  }

  /**
   * Reads a `tokenizer.json` and compares its ids with those of Hugging Face's Rust library on texts that are hard to tokenise.
   * @throws TokenizerError naming the file and the first text whose ids differ, or what is not supported.
   */
  static async open(path: string): Promise<TextTokenizer> {
    try {
      const json = await readFile(path, "utf8");
      const tokenizer = new TextTokenizer(JSON.parse(json) as object);
      await checkTokenizer(json, (text, pair) =>
        pair === undefined
          ? { ids: Int32Array.from(tokenizer.#tokenizer.withSpecials(text)) }
          : tokenizer.encodePair(text, pair, Number.MAX_SAFE_INTEGER),
      );
      return tokenizer;
    } catch (cause) {
      const why = cause instanceof Error ? cause.message : String(cause);
      throw new TokenizerError(`the tokenizer ${path} cannot be used: ${why}`, { cause });
    }
  }

  /** How many tokens the text takes, specials included. */
  count(text: string): number {
    return this.#single.before.length + this.#tokenizer.content(text).length + this.#single.after.length;
  }

  /** How many tokens texts take behind a prefix, specials included. The prefix is counted once where that gives the same. */
  counterBehind(prefix: string): (text: string) => number {
    if (!this.isSeparable || !/(?:^|[ \t\r\n])$/.test(prefix)) return (text) => this.count(prefix + text);
    const prefixTokens = this.#tokenizer.content(prefix).length;
    return (text) => prefixTokens + this.count(text);
  }

  /** The tokens of a text with the model's specials; what exceeds `maxTokens` is cut from the end of the text. */
  encode(text: string, maxTokens: number): TokenSequence {
    const content = this.#tokenizer.content(text);
    const room = this.#room(maxTokens);
    return this.#sequence(content.slice(0, room), content.length > room);
  }

  /**
   * The tokens of a text in as many sequences as it takes, each with the model's specials and, at its start, `prefix`.
   * None of them is cut; they do not overlap.
   */
  encodeWindows(prefix: string, text: string, maxTokens: number): [TokenSequence, ...TokenSequence[]] {
    const content = this.#tokenizer.content(prefix + text);
    const room = this.#room(maxTokens);
    if (content.length <= room) return [this.#sequence(content, false)];
    const repeated = prefix === "" ? [] : this.#tokenizer.content(prefix).slice(0, room - 1);
    const windows: [TokenSequence, ...TokenSequence[]] = [this.#sequence(content.slice(0, room), false)];
    const step = Math.max(1, room - repeated.length);
    for (let at = room; at < content.length; at += step)
      windows.push(this.#sequence([...repeated, ...content.slice(at, at + step)], false));
    return windows;
  }

  /**
   * The tokens of a (query, passage) pair. By default the passage is cut first; the query only where it alone leaves no
   * room. With "longest_first" the longer of both is cut until they fit, as Hugging Face's library does.
   */
  encodePair(query: string, passage: string, maxTokens: number, options: PairOptions = {}): TokenSequence {
    const { truncation = "only_second", template } = options;
    if (template !== undefined) return this.#encodeTemplate(template, query, passage, maxTokens);
    const { before, between, after, secondTypeAt } = this.#pair;
    const room = Math.max(0, maxTokens - before.length - between.length - after.length);
    const first = this.#tokenizer.content(query);
    const second = this.#tokenizer.content(passage);
    const truncate = truncation === "only_second" ? truncateOnlySecond : truncateLongestFirst;
    const kept = truncate(first.length, second.length, room);
    return {
      ids: Int32Array.from([
        ...before,
        ...first.slice(0, kept.first),
        ...between,
        ...second.slice(0, kept.second),
        ...after,
      ]),
      ...(secondTypeAt === undefined
        ? {}
        : { secondTypeFrom: before.length + kept.first + between.length + secondTypeAt }),
      truncated: kept.first < first.length || kept.second < second.length,
      padId: this.padId,
    };
  }

  /** Whether an id is one of the specials that the model was made with, such as [CLS] or [UNK]. */
  isSpecial(id: number): boolean {
    return this.#tokenizer.specials.has(id);
  }

  /** The token with an id; empty when the vocabulary has none. */
  token(id: number): string {
    return this.#tokenizer.token(id) ?? "";
  }

  #room(maxTokens: number): number {
    return Math.max(0, maxTokens - this.#single.before.length - this.#single.after.length);
  }

  #sequence(content: readonly number[], truncated: boolean): TokenSequence {
    const { before, after } = this.#single;
    return { ids: Int32Array.from([...before, ...content, ...after]), truncated, padId: this.padId };
  }

  // Of a template that is too long only the passage is cut: what follows it is part of the question.
  #encodeTemplate(template: string, query: string, passage: string, maxTokens: number): TokenSequence {
    const at = template.indexOf("{passage}");
    const head = template.slice(0, at).replace("{query}", () => query);
    const tail = template.slice(at + "{passage}".length).replace("{query}", () => query);
    const whole = this.#tokenizer.content(head + passage + tail);
    const room = this.#room(maxTokens);
    if (whole.length <= room) return this.#sequence(whole, false);
    const [first, second, last] = [head, passage, tail].map((part) => this.#tokenizer.content(part));
    const left = Math.max(0, room - (first?.length ?? 0) - (last?.length ?? 0));
    const cut = [...(first ?? []), ...(second ?? []).slice(0, left), ...(last ?? [])].slice(0, room);
    return this.#sequence(cut, true);
  }
}
