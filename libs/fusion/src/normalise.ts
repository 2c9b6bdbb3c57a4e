/** Scores of one list on a common scale. */
export interface NormalisedScores {
  /** In the order of the list. */
  readonly scores: readonly number[];
  /** What a row counts that the list lacks. */
  readonly absent: number;
}

/** Relative spread below which scores count as equal: what remains is rounding, and dividing by it would blow it up. */
const roundingSpread = 1e-12;

interface Spread {
  readonly min: number;
  readonly max: number;
  /** Whether all scores are equal, so that they say nothing about order. */
  readonly isFlat: boolean;
}

function spreadOf(scores: readonly number[]): Spread {
  let min = Infinity;
  let max = -Infinity;
  for (const score of scores) {
    if (score < min) min = score;
    if (score > max) max = score;
  }
  return { min, max, isFlat: !(max - min > roundingSpread * Math.max(Math.abs(min), Math.abs(max))) };
}

function meanAndDeviation(scores: readonly number[]): { mean: number; sd: number } {
  const mean = scores.reduce((sum, score) => sum + score, 0) / scores.length;
  const variance = scores.reduce((sum, score) => sum + (score - mean) ** 2, 0) / scores.length;
  return { mean, sd: Math.sqrt(variance) };
}

/**
 * Standard scores (score - mean) / sd with the population's standard deviation. Scores that are all equal, and a single
 * score, say nothing about order and become 0.
 */
export function zScores(scores: readonly number[]): number[] {
  if (spreadOf(scores).isFlat) return scores.map(() => 0);
  const { mean, sd } = meanAndDeviation(scores);
  return scores.map((score) => (score - mean) / sd);
}

/** Standard scores; an absent row gets the list's lowest, since all that is known is that it scored no better. */
export function normaliseByZScore(scores: readonly number[]): NormalisedScores {
  const z = zScores(scores);
  return { scores: z, absent: z.at(-1) ?? 0 };
}

/** (score - min) / (max - min), or 1 where all are equal; an absent row gets 0. */
export function normaliseByMinMax(scores: readonly number[]): NormalisedScores {
  const { min, max, isFlat } = spreadOf(scores);
  return { scores: scores.map((score) => (isFlat ? 1 : (score - min) / (max - min))), absent: 0 };
}

/**
 * Distribution-based: (score - low) / (high - low) between low and high, the mean less and plus 3 standard deviations of
 * the population, not below 0; 0.5 where all are equal; an absent row gets 0. Source: Mazzeschi, "Distribution-Based Score Fusion
 * (DBSF)", 2023; Qdrant's fusion of that name.
 */
export function normaliseByDistribution(scores: readonly number[]): NormalisedScores {
  if (spreadOf(scores).isFlat) return { scores: scores.map(() => 0.5), absent: 0 };
  const { mean, sd } = meanAndDeviation(scores);
  return { scores: scores.map((score) => Math.max(0, (score - (mean - 3 * sd)) / (6 * sd))), absent: 0 };
}
