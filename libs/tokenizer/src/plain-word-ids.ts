/** What is used of a model of @huggingface/tokenizers, whose types are not exported. */
export interface Vocabulary {
  readonly tokens_to_ids: ReadonlyMap<string, number>;
  readonly unk_token_id?: number;
}

interface Definition {
  readonly model?: {
    readonly type?: string;
    readonly continuing_subword_prefix?: string;
    readonly max_input_chars_per_word?: number;
  };
  readonly normalizer?: { readonly type?: string; readonly lowercase?: boolean } | null;
  readonly pre_tokenizer?: { readonly type?: string } | null;
  readonly added_tokens?: readonly { readonly content: string }[];
}

const plainWord = /^[A-Za-z0-9]+$/;

/**
 * Ids of a single word of ASCII letters and digits by the vocabulary alone, undefined for other texts. BERT's steps do no
 * more with such a word than lower its case, and take several times as long for it: who counts a text word by word, as the
 * chunker does, has little else to count.
 * @returns undefined for tokenizers with other steps, or with an added token that can be in such a word.
 */
export function plainWordIds(
  { model = {}, normalizer, pre_tokenizer: preTokenizer, added_tokens: added = [] }: Definition,
  { tokens_to_ids: ids, unk_token_id: unknown }: Vocabulary,
): ((text: string) => number[] | undefined) | undefined {
  const { type, continuing_subword_prefix: prefix, max_input_chars_per_word: maxLength } = model;
  const isBert =
    type === "WordPiece" && normalizer?.type === "BertNormalizer" && preTokenizer?.type === "BertPreTokenizer";
  if (!isBert || prefix === undefined || maxLength === undefined || unknown === undefined) return undefined;
  if (added.some(({ content }) => plainWord.test(content))) return undefined;
  return (text) => {
    if (!plainWord.test(text)) return undefined;
    if (text.length > maxLength) return [unknown];
    const word = normalizer.lowercase === true ? text.toLowerCase() : text;
    const found: number[] = [];
    for (let start = 0; start < word.length; ) {
      let end = word.length;
      let id = ids.get(start === 0 ? word : prefix + word.slice(start));
      while (id === undefined && --end > start)
        id = ids.get(start === 0 ? word.slice(0, end) : prefix + word.slice(start, end));
      if (id === undefined) return [unknown];
      found.push(id);
      start = end;
    }
    return found;
  };
}
