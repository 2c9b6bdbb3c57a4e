/** Relative spread below which scores count as equal: what remains is rounding, and dividing by it would blow it up. */
const roundingSpread = 1e-12;

/**
 * Standard scores (score - mean) / sd with the population's standard deviation. Scores that are all equal, and a single
 * score, say nothing about order and become 0.
 */
export function zScores(scores: readonly number[]): number[] {
  let min = Infinity;
  let max = -Infinity;
  for (const score of scores) {
    if (score < min) min = score;
    if (score > max) max = score;
  }
  if (!(max - min > roundingSpread * Math.max(Math.abs(min), Math.abs(max)))) return scores.map(() => 0);
  const mean = scores.reduce((sum, score) => sum + score, 0) / scores.length;
  const variance = scores.reduce((sum, score) => sum + (score - mean) ** 2, 0) / scores.length;
  const sd = Math.sqrt(variance);
  return scores.map((score) => (score - mean) / sd);
}
