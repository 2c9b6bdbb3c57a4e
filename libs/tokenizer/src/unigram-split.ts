interface TrieNode {
  readonly is_leaf: boolean;
  readonly children: ReadonlyMap<string, TrieNode>;
}

/** What is used of the Unigram model of @huggingface/tokenizers, whose types are not exported. */
export interface UnigramModel {
  readonly config: { readonly byte_fallback?: boolean };
  readonly scores: readonly number[];
  readonly unk_score: number;
  readonly unk_token_id: number;
  readonly tokens_to_ids: ReadonlyMap<string, number>;
  readonly trie: { readonly root: TrieNode };
}

const byteName = (byte: number): string => `<0x${byte.toString(16).toUpperCase().padStart(2, "0")}>`;

/**
 * The most likely pieces of a text under a Unigram vocabulary, neighbouring unknown ones as one.
 * Paths are compared where they end, before the score of the next piece is added, as Hugging Face's Rust library does:
 * where pieces repeat, as in a long rule of dashes, many paths differ in their last bit alone.
 */
function bestPieces(model: UnigramModel, text: string): string[] {
  const { scores, unk_score: unknownScore, tokens_to_ids: ids, trie } = model;
  const characters = Array.from(text);
  const bestScore = new Float64Array(characters.length + 1);
  const cameFrom = new Int32Array(characters.length + 1).fill(-1);
  const isUnknown = new Uint8Array(characters.length + 1);
  const offer = (from: number, to: number, score: number, unknown: boolean) => {
    if (cameFrom[to] !== -1 && score <= (bestScore[to] ?? 0)) return;
    bestScore[to] = score;
    cameFrom[to] = from;
    isUnknown[to] = unknown ? 1 : 0;
  };
  for (let from = 0; from < characters.length; from++) {
    const here = bestScore[from] ?? 0;
    let node = trie.root.children.get(characters[from] ?? "");
    let piece = "";
    let hasSingle = false;
    for (let at = from; node; node = node.children.get(characters[++at] ?? "")) {
      piece += characters[at] ?? "";
      if (!node.is_leaf) continue;
      const id = ids.get(piece) ?? -1;
      offer(from, at + 1, (scores[id] ?? 0) + here, id === model.unk_token_id);
      hasSingle ||= at === from;
    }
    if (!hasSingle) offer(from, from + 1, unknownScore + here, true);
  }
  const pieces: string[] = [];
  let lastUnknown = false;
  for (let end = characters.length; end > 0; end = cameFrom[end] ?? 0) {
    const piece = characters.slice(cameFrom[end], end).join("");
    const unknown = isUnknown[end] === 1;
    if (unknown && lastUnknown) pieces[pieces.length - 1] = piece + (pieces.at(-1) ?? "");
    else pieces.push(piece);
    lastUnknown = unknown;
  }
  return pieces.reverse();
}

/** Splits pre-tokenised text as the Rust library does, unknown pieces into bytes where the vocabulary has them. */
export function unigramSplit(model: UnigramModel, pretokens: readonly string[]): string[] {
  const fallsBack = model.config.byte_fallback ?? false;
  const tokens: string[] = [];
  for (const pretoken of pretokens) {
    for (const piece of bestPieces(model, pretoken)) {
      const bytes = fallsBack && !model.tokens_to_ids.has(piece) ? Array.from(Buffer.from(piece), byteName) : [];
      if (bytes.length > 0 && bytes.every((name) => model.tokens_to_ids.has(name)))
        for (const name of bytes) tokens.push(name);
      else tokens.push(piece);
    }
  }
  return tokens;
}
