import type { SparseVector } from "@ragline/vectors";
import { inverseDocumentFrequency } from "./sparse-top-k.js";
import { NonFiniteScoreError, type ScoredRow, TopK } from "./top-k.js";

/** Postings of all terms, one after the other: those of term t are at `starts[t]` up to `starts[t + 1]`, by row. */
export interface Postings {
  /** Rows of the corpus. */
  readonly rowCount: number;
  /** Dimension ids, strictly increasing. */
  readonly terms: Uint32Array;
  /** One entry more than terms. */
  readonly starts: Uint32Array;
  readonly rows: Uint32Array;
  readonly values: Float32Array;
}

/** How to search an {@link InvertedIndex}. */
export interface InvertedSearchOptions {
  /** Rows to return for each query, at most. */
  readonly k: number;
  /** "idf" multiplies each query weight by the term's inverse document frequency in the whole corpus. @default none */
  readonly modifier?: "idf";
  /** Rows that may be found, 1 for each; the length is that of the corpus. @default all */
  readonly allowed?: Uint8Array;
}

/**
 * Exact search over sparse vectors by their postings: it looks at the rows that hold a word of the query and at no others.
 * Results are those of `sparseTopK`, to the bit: sums are taken in the order of the terms.
 */
export class InvertedIndex {
  readonly postings: Postings;
  readonly #scores: Float64Array;

  constructor(postings: Postings) {
    this.postings = postings;
    this.#scores = new Float64Array(postings.rowCount);
  }

  /**
   * The k best rows of each query with a score above 0, score descending, ties by row ascending.
   * @throws NonFiniteScoreError when a score is NaN or infinite.
   */
  search(queries: readonly SparseVector[], options: InvertedSearchOptions): ScoredRow[][] {
    return queries.map((query, position) => this.#searchOne(query, position, options));
  }

  #searchOne(query: SparseVector, position: number, { k, modifier, allowed }: InvertedSearchOptions): ScoredRow[] {
    const { rowCount, starts, rows, values } = this.postings;
    const scores = this.#scores.fill(0);
    // Ascending terms: then each row's sum is taken in the order of its own indices.
    const order = Array.from(query.indices, (_, i) => i).sort((a, b) => at(query.indices, a) - at(query.indices, b));
    for (const i of order) {
      const term = this.#find(at(query.indices, i));
      if (term < 0) continue;
      const [start, end] = [at(starts, term), at(starts, term + 1)];
      const weight = at(query.values, i) * (modifier === "idf" ? inverseDocumentFrequency(rowCount, end - start) : 1);
      for (let p = start; p < end; p++) {
        const row = rows[p] as number;
        scores[row] = (scores[row] as number) + (values[p] as number) * weight;
      }
    }
    const best = new TopK(k);
    for (let row = 0; row < rowCount; row++) {
      const score = scores[row] as number;
      if (score > 0 || Number.isNaN(score)) {
        if (!Number.isFinite(score)) throw new NonFiniteScoreError(row, position, score);
        if (score >= best.threshold && (allowed === undefined || allowed[row] === 1)) best.offer(row, score);
      }
    }
    return best.ranked();
  }

  /** Position of a term, or -1. */
  #find(id: number): number {
    const { terms } = this.postings;
    let low = 0;
    let high = terms.length - 1;
    while (low <= high) {
      const middle = (low + high) >> 1;
      const found = terms[middle] as number;
      if (found === id) return middle;
      if (found < id) low = middle + 1;
      else high = middle - 1;
    }
    return -1;
  }
}

const at = (values: ArrayLike<number>, index: number): number => values[index] as number;

/** Turns rows of sparse vectors, in order, into postings. Memory is that of the vectors. */
export class PostingsBuilder {
  readonly #rowLengths: number[] = [];
  readonly #indices = new GrowingArray((length) => new Uint32Array(length));
  readonly #values = new GrowingArray((length) => new Float32Array(length));
  readonly #counts = new Map<number, number>();

  /** Adds the next row; its indices must differ from one another. */
  add(indices: ArrayLike<number>, values: ArrayLike<number>): void {
    this.#rowLengths.push(indices.length);
    for (let i = 0; i < indices.length; i++) {
      const id = at(indices, i);
      this.#indices.push(id);
      this.#values.push(at(values, i));
      this.#counts.set(id, (this.#counts.get(id) ?? 0) + 1);
    }
  }

  /** The postings of all rows so far. */
  build(): Postings {
    const terms = Uint32Array.from(this.#counts.keys()).sort();
    const starts = new Uint32Array(terms.length + 1);
    const next = new Map<number, number>();
    terms.forEach((id, t) => {
      next.set(id, at(starts, t));
      starts[t + 1] = at(starts, t) + (this.#counts.get(id) ?? 0);
    });
    const [indices, given] = [this.#indices.values, this.#values.values];
    const rows = new Uint32Array(indices.length);
    const values = new Float32Array(indices.length);
    let from = 0;
    this.#rowLengths.forEach((length, row) => {
      for (let i = from; i < from + length; i++) {
        const id = at(indices, i);
        const place = next.get(id) as number;
        next.set(id, place + 1);
        rows[place] = row;
        values[place] = at(given, i);
      }
      from += length;
    });
    return { rowCount: this.#rowLengths.length, terms, starts, rows, values };
  }
}

/** A typed array that grows by doubling. */
class GrowingArray<Values extends Uint32Array | Float32Array> {
  readonly #make: (length: number) => Values;
  #values: Values;
  #length = 0;

  constructor(make: (length: number) => Values) {
    this.#make = make;
    this.#values = make(1024);
  }

  get values(): Values {
    return this.#values.subarray(0, this.#length) as Values;
  }

  push(value: number): void {
    if (this.#length === this.#values.length) {
      const larger = this.#make(2 * this.#length);
      larger.set(this.#values);
      this.#values = larger;
    }
    this.#values[this.#length++] = value;
  }
}
