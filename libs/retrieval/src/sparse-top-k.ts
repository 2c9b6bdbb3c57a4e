import type { SparseBlock, SparseVector } from "@ragline/vectors";
import { NonFiniteScoreError, type ScoredRow, TopK } from "./top-k.js";

/** What to search with {@link sparseTopK}. */
export interface SparseTopKOptions {
  /** Opens the corpus from its first row; called once, or twice with the modifier "idf". */
  readonly open: () => AsyncIterable<SparseBlock> | Iterable<SparseBlock>;
  readonly queries: readonly SparseVector[];
  /** How many rows to return for each query, at most. */
  readonly k: number;
  /** "idf" multiplies each query weight by the term's inverse document frequency in this corpus. @default none */
  readonly modifier?: "idf";
}

/** The queries that hold one term, with their weights. */
interface Posting {
  readonly queries: number[];
  readonly weights: number[];
}

/**
 * Exact search over sparse vectors by inner product: for each query the k best rows, score descending, ties by row
 * ascending. Only rows with a score above 0 are candidates. The result does not depend on the blocks. Memory is that of
 * one block, the queries and k rows for each query.
 * @throws NonFiniteScoreError when a score is NaN or infinite.
 */
export async function sparseTopK(options: SparseTopKOptions): Promise<ScoredRow[][]> {
  const { open, queries, k, modifier } = options;
  const postings = invert(queries);
  if (modifier === "idf") await weighByRarity(postings, open());
  const best = queries.map(() => new TopK(k));
  const scores = new Float64Array(queries.length);
  const touched: number[] = [];
  const seen = new Uint8Array(queries.length);
  for await (const block of open()) {
    let at = 0;
    for (let r = 0; r < block.rowLengths.length; r++) {
      const end = at + (block.rowLengths[r] as number);
      for (; at < end; at++) {
        const posting = postings.get(block.indices[at] as number);
        if (posting === undefined) continue;
        const value = block.values[at] as number;
        for (let p = 0; p < posting.queries.length; p++) {
          const query = posting.queries[p] as number;
          if (seen[query] === 0) {
            seen[query] = 1;
            touched.push(query);
          }
          scores[query] = (scores[query] as number) + value * (posting.weights[p] as number);
        }
      }
      for (const query of touched) {
        const score = scores[query] as number;
        if (!Number.isFinite(score)) throw new NonFiniteScoreError(block.firstIndex + r, query, score);
        if (score > 0) (best[query] as TopK).offer(block.firstIndex + r, score);
        scores[query] = 0;
        seen[query] = 0;
      }
      touched.length = 0;
    }
  }
  return best.map((top) => top.ranked());
}

/**
 * Inverse document frequency as Qdrant's modifier computes it: ln((N - df + 0.5) / (df + 0.5) + 1) for a term that
 * df of N rows hold (qdrant.tech, "Indexing", section "IDF Modifier").
 */
export function inverseDocumentFrequency(rows: number, documentFrequency: number): number {
  return Math.log((rows - documentFrequency + 0.5) / (documentFrequency + 0.5) + 1);
}

function invert(queries: readonly SparseVector[]): Map<number, Posting> {
  const postings = new Map<number, Posting>();
  queries.forEach((query, q) => {
    query.indices.forEach((index, i) => {
      let posting = postings.get(index);
      if (posting === undefined) postings.set(index, (posting = { queries: [], weights: [] }));
      posting.queries.push(q);
      posting.weights.push(query.values[i] as number);
    });
  });
  return postings;
}

async function weighByRarity(
  postings: ReadonlyMap<number, Posting>,
  blocks: AsyncIterable<SparseBlock> | Iterable<SparseBlock>,
): Promise<void> {
  const frequencies = new Map(Array.from(postings.keys(), (index) => [index, 0]));
  let rows = 0;
  for await (const block of blocks) {
    rows += block.rowLengths.length;
    for (let at = 0; at < block.indices.length; at++) {
      const index = block.indices[at] as number;
      const frequency = frequencies.get(index);
      if (frequency !== undefined) frequencies.set(index, frequency + 1);
    }
  }
  for (const [index, posting] of postings) {
    const idf = inverseDocumentFrequency(rows, frequencies.get(index) as number);
    posting.weights.forEach((weight, p) => {
      posting.weights[p] = weight * idf;
    });
  }
}
