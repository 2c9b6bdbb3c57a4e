/** What computes the scores of a result list. */
export type ListKind = "dense" | "learned-sparse" | "bm25";

const weightOfKind: Readonly<Record<ListKind, number>> = { dense: 2, "learned-sparse": 1, bm25: 1 };

/**
 * The default weight of one result list: dense 2, learned sparse 1, BM25 1, each shared evenly by the lists of that
 * kind, so that a larger ensemble does not outvote the other kinds. Measured in docs/decisions/0003-fusion-defaults.md.
 * @param countOfThatKind lists of the same kind that are fused together, this one included.
 * @throws RangeError when the count is not a positive integer.
 */
export function defaultWeight(kind: ListKind, countOfThatKind: number): number {
  if (!Number.isSafeInteger(countOfThatKind) || countOfThatKind < 1) {
    throw new RangeError(`${countOfThatKind} lists of kind ${kind}; the count must be a positive integer`);
  }
  return weightOfKind[kind] / countOfThatKind;
}
