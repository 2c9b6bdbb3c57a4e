/** What computes the scores of a result list. */
export type ListKind = "dense" | "learned-sparse" | "bm25";

const weightOfKind: Readonly<Record<ListKind, number>> = { dense: 2, "learned-sparse": 1, bm25: 1 };
const primaryShare = 3;

/**
 * The default weight of one result list. All dense lists together weigh 2, learned sparse ones 1, BM25 1, so that a larger
 * ensemble does not outvote the other kinds. Within a kind the first model, the primary one, counts three times as much as
 * each of the others. Measured in docs/decisions/0003-fusion-defaults.md.
 * @param position place of the list among those of its kind, 0 for the primary model.
 * @param countOfThatKind lists of the same kind that are fused together, this one included.
 * @throws RangeError when the numbers are no place among so many.
 */
export function defaultWeight(kind: ListKind, position: number, countOfThatKind: number): number {
  if (
    !Number.isSafeInteger(countOfThatKind) ||
    !Number.isSafeInteger(position) ||
    position < 0 ||
    position >= countOfThatKind
  ) {
    throw new RangeError(`there is no list ${position} among ${countOfThatKind} of kind ${kind}`);
  }
  const share = position === 0 ? primaryShare : 1;
  return (weightOfKind[kind] * share) / (primaryShare + countOfThatKind - 1);
}
