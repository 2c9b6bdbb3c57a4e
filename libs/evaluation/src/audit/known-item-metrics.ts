/** How well rankings find a right answer of each query. Every figure but `queries` is between 0 and 1. */
export interface KnownItemMetrics {
  /** Number of queries. */
  readonly queries: number;
  /** Share of queries whose answer is first. */
  readonly hitAt1: number;
  /** Share of queries whose answer is among the first ten. */
  readonly hitAt10: number;
  /** Mean of 1 / rank of the answer, 0 where it is not among the first ten. */
  readonly mrrAt10: number;
}

/** One figure of {@link KnownItemMetrics}. */
export type KnownItemFigure = Exclude<keyof KnownItemMetrics, "queries">;

/** The figures of one query whose first right answer has this rank; null where it was not found. */
export const knownItemFigures: Readonly<Record<KnownItemFigure, (rank: number | null) => number>> = {
  hitAt1: (rank) => (rank === 1 ? 1 : 0),
  hitAt10: (rank) => (rank !== null && rank <= 10 ? 1 : 0),
  mrrAt10: (rank) => (rank !== null && rank <= 10 ? 1 / rank : 0),
};

/** Rank of the first right row of a ranking, from 1; null where none of them is in it. */
export function answerRank(rows: readonly number[], answers: ReadonlySet<number>): number | null {
  const position = rows.findIndex((row) => answers.has(row));
  return position < 0 ? null : position + 1;
}

/** Known-item metrics from the rank of each query's first right answer. With no queries every figure is 0. */
export function knownItemMetrics(ranks: readonly (number | null)[]): KnownItemMetrics {
  const meanOf = (figure: (rank: number | null) => number): number =>
    ranks.length === 0 ? 0 : ranks.reduce<number>((sum, rank) => sum + figure(rank), 0) / ranks.length;
  const { hitAt1, hitAt10, mrrAt10 } = knownItemFigures;
  return { queries: ranks.length, hitAt1: meanOf(hitAt1), hitAt10: meanOf(hitAt10), mrrAt10: meanOf(mrrAt10) };
}
