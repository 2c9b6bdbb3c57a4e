import { splitsAtWhiteSpace } from "./splits-at-white-space.js";

interface Step {
  readonly type?: string;
}

interface Definition {
  readonly normalizer?: Step | null;
  readonly pre_tokenizer?: Step | null;
  readonly added_tokens?: readonly { readonly content?: string }[];
}

/** Signs of ASCII that are no letters or digits, one by one, and what stands between them. */
const piece = /[!-/:-@[-`{-~]|[^ \t\n\r!-/:-@[-`{-~]+/g;

/**
 * What parts a word, a run without white space, into pieces that together have its tokens. BERT's tokenizers take each
 * punctuation mark by itself, so that the words of an address are the same in every address; others take words whole.
 */
export function wordPieces(definition: object): (word: string) => readonly string[] {
  const { normalizer, pre_tokenizer: preTokenizer, added_tokens: added = [] } = definition as Definition;
  const splits =
    preTokenizer?.type === "BertPreTokenizer" && (normalizer?.type ?? "BertNormalizer") === "BertNormalizer";
  if (!splits || !splitsAtWhiteSpace(definition)) return (word) => [word];
  const contents = added.map(({ content = "" }) => content).filter((content) => content !== "");
  return (word) => {
    const pieces = word.match(piece);
    const isOne = pieces === null || pieces.length === 1 || contents.some((content) => word.includes(content));
    return isOne ? [word] : pieces;
  };
}
