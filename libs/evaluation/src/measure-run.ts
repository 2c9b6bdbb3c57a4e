import type { Judgements, RunScores } from "./judgements.js";
import { defaultMetrics, parseMetric } from "./metric.js";
import { type JudgedRanking, queryMetric } from "./query-metric.js";
import { rankDocuments } from "./rank-documents.js";

/** How to measure. */
export interface MeasureOptions {
  /** Names of metrics, as `parseMetric` reads them. @default {@link defaultMetrics} */
  readonly metrics?: readonly string[];
  /** Lowest grade that counts as relevant, trec_eval's `-l`; nDCG uses every grade. @default 1 */
  readonly relevanceLevel?: number;
  /**
   * What a judged query counts that the run lacks: "zero" in every metric, as with trec_eval's `-c`, or nothing ("skip"),
   * as without it. @default "zero"
   */
  readonly missing?: "zero" | "skip";
}

/** The metrics of a run. */
export interface RunMetrics {
  /** The queries that were measured, sorted by id as UTF-16. */
  readonly queries: readonly string[];
  /** Metric name -> value of each query, in the order of `queries`. */
  readonly perQuery: Readonly<Record<string, readonly number[]>>;
  /** Metric name -> mean over the queries; 0 without queries. */
  readonly mean: Readonly<Record<string, number>>;
  /** Judged queries that the run lacks. */
  readonly missingQueries: number;
  /** Queries of the run without a judgement; they count nowhere. */
  readonly unjudgedQueries: number;
  /** Judged queries without any relevant document: 0 in every metric but judged. */
  readonly queriesWithoutRelevant: number;
}

/**
 * Measures a run against judgements as trec_eval does; see `queryMetric` and `rankDocuments`.
 * @throws RangeError for an unknown metric or a score that is not finite.
 */
export function measureRun(judgements: Judgements, run: RunScores, options: MeasureOptions = {}): RunMetrics {
  const metrics = (options.metrics ?? defaultMetrics).map(parseMetric);
  const { relevanceLevel = 1, missing = "zero" } = options;
  const judged = [...judgements.keys()].sort((a, b) => (a < b ? -1 : 1));
  const queries = missing === "zero" ? judged : judged.filter((query) => run.has(query));
  const perQuery = Object.fromEntries(metrics.map(({ name }) => [name, new Array<number>(queries.length).fill(0)]));
  let queriesWithoutRelevant = 0;
  queries.forEach((query, i) => {
    const ranking = judge(judgements.get(query), run.get(query), relevanceLevel);
    if (ranking.relevantCount === 0) queriesWithoutRelevant++;
    for (const metric of metrics) (perQuery[metric.name] as number[])[i] = queryMetric(metric, ranking);
  });
  return {
    queries,
    perQuery,
    mean: Object.fromEntries(metrics.map(({ name }) => [name, mean(perQuery[name] ?? [])])),
    missingQueries: judged.filter((query) => !run.has(query)).length,
    unjudgedQueries: [...run.keys()].filter((query) => !judgements.has(query)).length,
    queriesWithoutRelevant,
  };
}

const none: ReadonlyMap<string, number> = new Map();

function judge(grades = none, scores = none, relevanceLevel: number): JudgedRanking {
  const all = [...grades.values()];
  return {
    grades: rankDocuments(scores).map((id) => grades.get(id)),
    ideal: all.filter((grade) => grade > 0).sort((a, b) => b - a),
    relevantCount: all.filter((grade) => grade >= relevanceLevel).length,
    relevanceLevel,
  };
}

/** Arithmetic mean, summed in order; 0 without values. */
export function mean(values: readonly number[]): number {
  return values.length === 0 ? 0 : values.reduce((sum, value) => sum + value, 0) / values.length;
}
