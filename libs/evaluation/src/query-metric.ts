import type { Metric } from "./metric.js";

/** A query's ranking beside its judgements. */
export interface JudgedRanking {
  /** Grade of each document, best first; undefined where it is unjudged. */
  readonly grades: readonly (number | undefined)[];
  /** Grades of 1 and more of all judged documents, found or not, in descending order. */
  readonly ideal: readonly number[];
  /** How many judged documents are relevant, found or not. */
  readonly relevantCount: number;
  /** Lowest grade that is relevant. */
  readonly relevanceLevel: number;
}

/**
 * One metric of one query, as trec_eval 9 computes it; 0 where nothing is relevant.
 *
 * nDCG: gain is the grade (linear; negative grades gain 0), discount log2(rank + 1), divided by that of the best possible
 * ranking of all judged documents (`ndcg_cut`, `ndcg`). MRR: 1 / rank of the first relevant document (`recip_rank`).
 * Recall: relevant ones found / all relevant ones (`recall`). MAP: sum of the precision at each relevant one found / all
 * relevant ones (`map`, `map_cut`). P: relevant ones found / cutoff, however few were found (`P`). hit: 1 where one
 * relevant document was found (`success`). judged: share of judged documents among those found; trec_eval has none.
 */
export function queryMetric(metric: Metric, ranking: JudgedRanking): number {
  const { kind, cutoff } = metric;
  const grades = ranking.grades.slice(0, cutoff);
  const isRelevant = (grade: number | undefined) => grade !== undefined && grade >= ranking.relevanceLevel;
  switch (kind) {
    case "nDCG": {
      const best = discountedGain(ranking.ideal.slice(0, cutoff));
      return best === 0 ? 0 : discountedGain(grades) / best;
    }
    case "MRR": {
      const position = grades.findIndex(isRelevant);
      return position < 0 ? 0 : 1 / (position + 1);
    }
    case "Recall":
      return ranking.relevantCount === 0 ? 0 : grades.filter(isRelevant).length / ranking.relevantCount;
    case "MAP":
      return ranking.relevantCount === 0 ? 0 : precisionSum(grades.map(isRelevant)) / ranking.relevantCount;
    case "P":
      return grades.filter(isRelevant).length / cutoff;
    case "hit":
      return grades.some(isRelevant) ? 1 : 0;
    case "judged":
      return grades.length === 0 ? 0 : grades.filter((grade) => grade !== undefined).length / grades.length;
  }
}

function discountedGain(grades: readonly (number | undefined)[]): number {
  return grades.reduce<number>((sum, grade = 0, i) => sum + Math.max(0, grade) / Math.log2(i + 2), 0);
}

function precisionSum(relevant: readonly boolean[]): number {
  let found = 0;
  let sum = 0;
  relevant.forEach((isRelevant, i) => {
    if (isRelevant) sum += ++found / (i + 1);
  });
  return sum;
}
