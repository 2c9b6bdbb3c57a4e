/**
 * The order in which trec_eval reads the documents of a query: score descending, ties by document id descending (as bytes
 * of UTF-8). The ranks of a run file are not looked at. Scores are compared as float32, which is what trec_eval keeps, so
 * scores that differ by less are tied.
 * @param scores document id -> score.
 * @throws RangeError when a score is not finite.
 */
export function rankDocuments(scores: ReadonlyMap<string, number>): string[] {
  const entries = Array.from(scores, ([id, score]) => {
    if (!Number.isFinite(score)) throw new RangeError(`document "${id}" has the score ${score}; it must be finite`);
    return { id, score: Math.fround(score) };
  });
  return entries.sort((a, b) => b.score - a.score || compareBytes(b.id, a.id)).map(({ id }) => id);
}

/** Strings of JavaScript compare by UTF-16 units, which differs from bytes beyond U+FFFF. */
function compareBytes(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}
