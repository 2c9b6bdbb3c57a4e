interface Step {
  readonly type?: string;
  readonly normalizers?: readonly Step[];
  readonly pretokenizers?: readonly Step[];
}

interface Definition {
  readonly normalizer?: Step | null;
  readonly pre_tokenizer?: Step | null;
  readonly added_tokens?: readonly { readonly content?: string }[];
}

/** Normalizers that treat a word the same with and without its neighbours. */
const wordwise = new Set(["BertNormalizer", "NFC", "NFD", "NFKC", "NFKD", "Lowercase", "StripAccents", "Precompiled"]);
/** Steps that part words at white space, and drop it, before any other rule sees them. */
const splitters = new Set(["BertPreTokenizer", "WhitespaceSplit", "Whitespace"]);

/**
 * Whether a tokenizer of this definition (`tokenizer.json`) makes the same tokens of a text as of its words one by one,
 * words being parted by spaces, tabs and line breaks. Only what is known to be so counts: false may be true all the same.
 */
export function splitsAtWhiteSpace(definition: object): boolean {
  const { normalizer, pre_tokenizer: preTokenizer, added_tokens: added = [] } = definition as Definition;
  const [firstSplit] = preTokenizer?.type === "Sequence" ? (preTokenizer.pretokenizers ?? []) : [preTokenizer ?? {}];
  const normalizers = normalizer?.type === "Sequence" ? (normalizer.normalizers ?? []) : normalizer ? [normalizer] : [];
  return (
    splitters.has(firstSplit?.type ?? "") &&
    normalizers.every(({ type = "" }) => wordwise.has(type)) &&
    added.every(({ content = "" }) => !/\s/.test(content))
  );
}
