import { Tokenizer } from "@huggingface/tokenizers";
import { Tokenizer as RustTokenizer } from "tokenizers";
import { plainWordIds, type Vocabulary } from "./plain-word-ids.js";
import { serdeFloat } from "./serde-float.js";
import { cuts, textSlices } from "./text-slices.js";
import { TokenizerError } from "./tokenizer-error.js";
import { type UnigramModel, unigramSplit } from "./unigram-split.js";

/** A parsed `tokenizer.json`, as far as it is looked at here. */
export interface TokenizerDefinition {
  readonly model?: { readonly type?: string; readonly vocab?: unknown };
  readonly normalizer?: Step | null;
  readonly pre_tokenizer?: Step | null;
  readonly post_processor?: Step | null;
  readonly added_tokens?: readonly AddedTokenDefinition[];
}

interface Step {
  readonly type?: string;
  readonly normalizers?: readonly Step[];
  readonly pretokenizers?: readonly Step[];
  readonly processors?: readonly Step[];
}

interface AddedTokenDefinition {
  readonly id: number;
  readonly content: string;
  readonly special?: boolean;
  readonly single_word?: boolean;
  readonly lstrip?: boolean;
  readonly rstrip?: boolean;
  readonly normalized?: boolean;
}

/** A vocabulary applied as Hugging Face's Rust library applies it. */
export interface ExactTokenizer {
  /** Ids of a text without the specials that the model puts around it. */
  readonly content: (text: string) => number[];
  /** Ids of a text, or of a pair, with the specials. */
  readonly withSpecials: (text: string, pair?: string) => number[];
  /** Types of the tokens of a pair, with the specials. */
  readonly pairTypes: (text: string, pair: string) => number[];
  readonly token: (id: number) => string | undefined;
  /** Ids of the added tokens that are special. */
  readonly specials: ReadonlySet<number>;
  readonly idOf: (token: string) => number | undefined;
}

// In ASCII text both libraries do these steps alike, and staying in JavaScript is several times as fast.
const alikeInAscii = new Set(
  "BertNormalizer NFC NFD NFKC NFKD Lowercase StripAccents BertPreTokenizer ByteLevel Split Sequence".split(" "),
);
const ascii = /^[\t\n\r\u0020-\u007e]*$/;

function isAlikeInAscii({ type = "", normalizers = [], pretokenizers = [] }: Step): boolean {
  return alikeInAscii.has(type) && [...normalizers, ...pretokenizers].every(isAlikeInAscii);
}

/** Has text that is not ASCII normalised and split by the Rust library instead of the tokenizer's own steps. */
function takeRustSteps(tokenizer: Tokenizer, definition: TokenizerDefinition): void {
  // What is normalised and split does not depend on the vocabulary; without it the second copy costs nothing.
  const steps = JSON.stringify({
    version: "1.0",
    added_tokens: [],
    normalizer: definition.normalizer ?? null,
    pre_tokenizer: definition.pre_tokenizer ?? null,
    post_processor: null,
    decoder: null,
    model: { type: "WordLevel", vocab: { a: 0 }, unk_token: "a" },
  });
  const rust = RustTokenizer.fromString(steps);
  const { normalizer, pre_tokenizer: splitter } = tokenizer;
  const rustNormalizer = rust.getNormalizer();
  if (normalizer && rustNormalizer) {
    const fast = normalizer.normalize.bind(normalizer);
    const alike = isAlikeInAscii(definition.normalizer ?? {});
    normalizer.normalize = (text: string) => {
      if (!alike) return rustNormalizer.normalizeString(text);
      if (ascii.test(text)) return fast(text);
      return textSlices(text, cuts.betweenCharacters)
        .map((slice) => rustNormalizer.normalizeString(slice))
        .join("");
    };
  }
  const atStart = rust.getPreTokenizer();
  const later = RustTokenizer.fromString(withoutStartMarks(steps)).getPreTokenizer();
  if (splitter && atStart && later) {
    const fast = splitter.pre_tokenize_text.bind(splitter);
    const alike = isAlikeInAscii(definition.pre_tokenizer ?? {});
    const cut = definition.pre_tokenizer?.type === "BertPreTokenizer" ? cuts.beforeSpaces : cuts.betweenWords;
    splitter.pre_tokenize_text = (text: string, options?: { section_index?: number }) => {
      if (alike && ascii.test(text)) return fast(text, options);
      return textSlices(text, cut).flatMap((slice, i) =>
        (i > 0 || options?.section_index ? later : atStart).preTokenizeString(slice).map(([piece]) => piece),
      );
    };
  }
}

/** The definition whose marks of a text's start are put nowhere, for what follows an added token. */
function withoutStartMarks(definition: string): string {
  return definition.replaceAll('"prepend_scheme":"first"', '"prepend_scheme":"never"');
}

/** The definition whose scores of pieces are what the Rust library reads. */
function withReadScores(definition: TokenizerDefinition): TokenizerDefinition {
  const { model } = definition;
  if (model?.type !== "Unigram" || !Array.isArray(model.vocab)) return definition;
  const vocab = (model.vocab as [string, number][]).map(([piece, score]) => [piece, serdeFloat(score)]);
  return { ...definition, model: { ...model, vocab } };
}

const escaped = (text: string): string => text.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&");

/** Removes the white space that added tokens take with them. JavaScript's idea of white space is another than Rust's. */
function stripper(tokens: readonly AddedTokenDefinition[]): (text: string) => string {
  const rules = tokens
    .filter(({ lstrip, rstrip }) => lstrip || rstrip)
    .map(({ content, lstrip, rstrip }) => ({
      content,
      pattern: new RegExp(
        `${lstrip ? "\\p{White_Space}*" : ""}(${escaped(content)})${rstrip ? "\\p{White_Space}*" : ""}`,
        "gu",
      ),
    }));
  return (text) =>
    rules.reduce((done, { content, pattern }) => (done.includes(content) ? done.replace(pattern, "$1") : done), text);
}

/** Whether all tokens are of one type: in JavaScript the second text of a pair is of another, in Rust it is not. */
function isUntyped({ type, processors = [] }: Step): boolean {
  return type === "RobertaProcessing" || processors.some(isUntyped);
}

function refuseUnknownRules(tokens: readonly AddedTokenDefinition[]): void {
  for (const { content, single_word, lstrip, rstrip, normalized } of tokens) {
    if (single_word) throw new TokenizerError(`its added token "${content}" has single_word, which is not supported`);
    if (normalized && (lstrip || rstrip)) {
      throw new TokenizerError(
        `its added token "${content}" is normalised and takes white space with it, which is not supported`,
      );
    }
  }
}

/**
 * Applies a `tokenizer.json`: text is normalised and split by Hugging Face's Rust library, whose Unicode tables are older
 * than JavaScript's and whose SentencePiece tables only it reads; the vocabulary is applied in JavaScript, which can be
 * done without waiting. Padding and truncation of the file are not read.
 * @throws TokenizerError naming an added token whose rules are not supported.
 */
export function exactTokenizer(definition: TokenizerDefinition): ExactTokenizer {
  const added = definition.added_tokens ?? [];
  refuseUnknownRules(added);
  const strip = stripper(added);
  const stripped = added.map((token) => ({ ...token, lstrip: false, rstrip: false }));
  const tokenizer = new Tokenizer({ ...withReadScores(definition), added_tokens: stripped }, {});
  takeRustSteps(tokenizer, definition);
  if (definition.model?.type === "Unigram") {
    const model = tokenizer.model as unknown as UnigramModel & { encode: (pretokens: string[]) => string[] };
    model.encode = (pretokens) => unigramSplit(model, pretokens);
  }
  const idsOfWord = plainWordIds(definition, tokenizer.model as unknown as Vocabulary);
  return {
    content: (text) => idsOfWord?.(text) ?? tokenizer.encode(strip(text), { add_special_tokens: false }).ids,
    withSpecials: (text, pair) =>
      tokenizer.encode(strip(text), pair === undefined ? {} : { text_pair: strip(pair) }).ids,
    pairTypes: (text, pair) => {
      const { token_type_ids: types } = tokenizer.encode(text, { text_pair: pair, return_token_type_ids: true });
      return isUntyped(definition.post_processor ?? {}) ? types.map(() => 0) : types;
    },
    token: (id) => tokenizer.id_to_token(id),
    specials: new Set(added.filter(({ special }) => special).map(({ id }) => id)),
    idOf: (token) => tokenizer.token_to_id(token),
  };
}
