import type { SparseVector } from "@ragline/vectors";
import { forEachTerm } from "./terms.js";

/** The constants of BM25. */
export interface Bm25Options {
  /** Term frequency saturation. @default 1.2 */
  k?: number;
  /** How much a text's length counts, from 0 (not at all) to 1. @default 0.75 */
  b?: number;
  /** Mean words per text of the corpus, as `countWords` counts them. @default 256 */
  averageLength?: number;
}

/** A sparse vector and the stem behind each of its indices. */
export interface LexicalVector {
  readonly vector: SparseVector;
  /** `tokens[i]` is the stem of `vector.indices[i]` (the first one seen, when two stems share an id). */
  readonly tokens: string[];
}

/**
 * BM25 as Qdrant defines it: the document's half of the score, for an index whose modifier is "idf".
 * Words are lowercased runs of letters, numbers and underscores without English stop words, stemmed by Snowball English;
 * an index is the absolute value of the stem's murmur3_32. Source: `Qdrant/bm25` in fastembed, `fastembed/sparse/bm25.py`.
 * Stems that share an id count as one word.
 */
export class Bm25 {
  readonly #k: number;
  readonly #b: number;
  readonly #averageLength: number;

  /** @throws RangeError for a negative k, a b outside 0 to 1 or an average length that is not positive. */
  constructor(options: Bm25Options = {}) {
    const { k = 1.2, b = 0.75, averageLength = 256 } = options;
    if (!(k >= 0 && k < Infinity)) throw new RangeError(`BM25's k is ${k}; give a number of 0 or more`);
    if (!(b >= 0 && b <= 1)) throw new RangeError(`BM25's b is ${b}; give a number from 0 to 1`);
    if (!(averageLength > 0 && averageLength < Infinity)) {
      throw new RangeError(`BM25's average length is ${averageLength}; give a number of words above 0`);
    }
    this.#k = k;
    this.#b = b;
    this.#averageLength = averageLength;
  }

  /** The vector of a text: tf * (k + 1) / (tf + k * (1 - b + b * length / averageLength)) for each distinct stem. */
  document(text: string): LexicalVector {
    const { terms, length } = countTerms(text);
    const norm = this.#k * (1 - this.#b + (this.#b * length) / this.#averageLength);
    return toVector(terms, (count) => (count * (this.#k + 1)) / (count + norm));
  }

  /** The vector of a query: 1 for each distinct stem. */
  query(text: string): LexicalVector {
    return toVector(countTerms(text).terms, () => 1);
  }
}

/**
 * The words of a text that make its length in BM25: those left after stop words, lone underscores and words of over 40
 * characters are gone, as fastembed counts them. Their mean over a corpus is its `averageLength`.
 */
export function countWords(text: string): number {
  return countTerms(text).length;
}

interface TermCount {
  readonly stem: string;
  count: number;
}

function countTerms(text: string): { terms: Map<number, TermCount>; length: number } {
  const terms = new Map<number, TermCount>();
  let length = 0;
  forEachTerm(text, ({ id, stem }) => {
    length++;
    const seen = terms.get(id);
    if (seen === undefined) terms.set(id, { stem, count: 1 });
    else seen.count++;
  });
  return { terms, length };
}

function toVector(terms: Map<number, TermCount>, weigh: (count: number) => number): LexicalVector {
  const indices = Uint32Array.from(terms.keys()).sort();
  const values = new Float32Array(indices.length);
  const tokens: string[] = [];
  indices.forEach((id, at) => {
    const { stem, count } = terms.get(id) as TermCount;
    values[at] = weigh(count);
    tokens.push(stem);
  });
  return { vector: { indices, values }, tokens };
}
