/** A row of the corpus with its score for one query. */
export interface ScoredRow {
  /** Row number in the corpus. */
  readonly row: number;
  /** Larger is better; always finite. */
  readonly score: number;
}

/** A score is NaN or infinite, so the vectors are broken and no ranking can be trusted. */
export class NonFiniteScoreError extends Error {
  /** Row whose score is not finite. */
  readonly row: number;
  /** Position of the query among the queries. */
  readonly query: number;
  readonly score: number;

  constructor(row: number, query: number, score: number) {
    super(
      `The score of row ${row} for query ${query} is ${score}: one of the two vectors holds NaN, infinite or far too large values. Encode them again before searching.`,
    );
    this.name = "NonFiniteScoreError";
    this.row = row;
    this.query = query;
    this.score = score;
  }
}

/**
 * Keeps the k best of any number of scored rows: score descending, ties by row ascending. What is kept does not depend
 * on the order of offers. A binary heap with the worst kept row on top, in O(k) memory.
 */
export class TopK {
  readonly #k: number;
  readonly #rows: number[] = [];
  readonly #scores: number[] = [];

  /** @throws RangeError when k is not a positive integer. */
  constructor(k: number) {
    if (!Number.isSafeInteger(k) || k < 1) throw new RangeError(`k is ${k}; it must be a positive integer`);
    this.#k = k;
  }

  /** A score below this one cannot enter any more; -Infinity while there is room. */
  get threshold(): number {
    return this.#rows.length < this.#k ? -Infinity : (this.#scores[0] as number);
  }

  /** Offers one row. Each row is to be offered at most once, with a score that is not NaN. */
  offer(row: number, score: number): void {
    const rows = this.#rows;
    const scores = this.#scores;
    if (rows.length < this.#k) {
      rows.push(row);
      scores.push(score);
      this.#siftUp(rows.length - 1, row, score);
    } else if (worse(rows[0] as number, scores[0] as number, row, score)) {
      this.#siftDown(row, score);
    }
  }

  /** The kept rows, best first. */
  ranked(): ScoredRow[] {
    return this.#rows
      .map((row, i) => ({ row, score: this.#scores[i] as number }))
      .sort((a, b) => b.score - a.score || a.row - b.row);
  }

  #siftUp(start: number, row: number, score: number): void {
    let at = start;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      const parentRow = this.#rows[parent] as number;
      const parentScore = this.#scores[parent] as number;
      if (!worse(row, score, parentRow, parentScore)) break;
      this.#rows[at] = parentRow;
      this.#scores[at] = parentScore;
      at = parent;
    }
    this.#rows[at] = row;
    this.#scores[at] = score;
  }

  /** Replaces the top by the given row and restores the order of the heap. */
  #siftDown(row: number, score: number): void {
    const rows = this.#rows;
    const scores = this.#scores;
    const size = rows.length;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= size) break;
      const right = child + 1;
      if (
        right < size &&
        worse(rows[right] as number, scores[right] as number, rows[child] as number, scores[child] as number)
      ) {
        child = right;
      }
      if (!worse(rows[child] as number, scores[child] as number, row, score)) break;
      rows[at] = rows[child] as number;
      scores[at] = scores[child] as number;
      at = child;
    }
    rows[at] = row;
    scores[at] = score;
  }
}

function worse(row: number, score: number, otherRow: number, otherScore: number): boolean {
  return score < otherScore || (score === otherScore && row > otherRow);
}
