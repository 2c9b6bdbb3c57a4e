import { bootstrapInterval } from "./bootstrap-interval.js";
import { DatasetError } from "./dataset-error.js";
import { mean, type RunMetrics } from "./measure-run.js";
import { pairedDifferences, pairedRandomisationTest } from "./paired-test.js";

/** How two rankings differ in one metric. */
export interface RankingComparison {
  readonly metric: string;
  readonly meanA: number;
  readonly meanB: number;
  /** Mean of b - a over the queries. */
  readonly difference: number;
  /** 95 % bootstrap interval of the difference. */
  readonly low: number;
  readonly high: number;
  /** Two-sided p of a paired randomisation test. */
  readonly p: number;
}

/** Seeds and sizes of what is random in a comparison. */
export interface CompareOptions {
  /** @default 1 */
  readonly seed?: number;
  /** Random assignments of the test. @default 100,000 */
  readonly testSamples?: number;
  /** Resampled sets of the interval. @default 10,000 */
  readonly intervalSamples?: number;
}

/**
 * Compares two rankings of the same queries, metric by metric, those of both.
 * @throws DatasetError when they were measured over different queries.
 */
export function compareRankings(a: RunMetrics, b: RunMetrics, options: CompareOptions = {}): RankingComparison[] {
  const { seed = 1, testSamples = 100_000, intervalSamples = 10_000 } = options;
  if (a.queries.length !== b.queries.length || a.queries.some((query, i) => query !== b.queries[i])) {
    throw new DatasetError(
      "compare",
      undefined,
      `the rankings are of different queries (${a.queries.length} and ${b.queries.length}); measure both against the same judgements.`,
    );
  }
  return Object.keys(a.perQuery).flatMap((metric): RankingComparison[] => {
    const [valuesA, valuesB] = [a.perQuery[metric], b.perQuery[metric]];
    if (valuesA === undefined || valuesB === undefined) return [];
    const { difference, p } = pairedRandomisationTest(valuesA, valuesB, { seed, samples: testSamples });
    const { low, high } = bootstrapInterval(pairedDifferences(valuesA, valuesB), { seed, samples: intervalSamples });
    return [{ metric, meanA: mean(valuesA), meanB: mean(valuesB), difference, low, high, p }];
  });
}
