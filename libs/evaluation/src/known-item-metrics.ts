/** How well rankings find the one right answer of each query. Every figure but `queries` is between 0 and 1. */
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

/**
 * Known-item metrics. With no queries every figure is 0.
 * @param rankings for each query the rows found, best first.
 * @param answers for each query its right row.
 * @throws RangeError when there are not as many answers as rankings.
 */
export function knownItemMetrics(
  rankings: readonly (readonly number[])[],
  answers: readonly number[],
): KnownItemMetrics {
  if (rankings.length !== answers.length) {
    throw new RangeError(`${rankings.length} rankings with ${answers.length} answers; each query needs one of both`);
  }
  let first = 0;
  let firstTen = 0;
  let reciprocalRanks = 0;
  rankings.forEach((rows, i) => {
    const position = rows.slice(0, 10).indexOf(answers[i] as number);
    if (position < 0) return;
    if (position === 0) first++;
    firstTen++;
    reciprocalRanks += 1 / (position + 1);
  });
  const queries = rankings.length;
  const share = (sum: number): number => (queries === 0 ? 0 : sum / queries);
  return { queries, hitAt1: share(first), hitAt10: share(firstTen), mrrAt10: share(reciprocalRanks) };
}
