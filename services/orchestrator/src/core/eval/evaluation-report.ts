import {
  bootstrapInterval,
  compareRankings,
  type Dataset,
  type DatasetWarning,
  type Judgements,
  type MeasureOptions,
  measureRun,
  type RankingComparison,
  type RunMetrics,
  type RunScores,
} from "@ragline/evaluation";
import type { EvaluationContent } from "@ragline/report";
import { usageError } from "../usage-error.js";

/** One ranking as it was measured. */
export interface MeasuredMode {
  readonly name: string;
  /** How it ranks, or "trec-run" for a file. */
  readonly kind: string;
  /** Metric -> mean and its 95 % bootstrap interval. */
  readonly metrics: Readonly<Record<string, { readonly mean: number; readonly low: number; readonly high: number }>>;
  readonly missingQueries: number;
  /** Metric -> value of each query, in the order of the report's queries. */
  readonly perQuery: RunMetrics["perQuery"];
}

/** Two rankings, metric by metric. */
export interface ComparedModes {
  readonly a: string;
  readonly b: string;
  readonly metrics: readonly RankingComparison[];
}

/** What `ragline eval` found, as `--json` prints it. It holds no clock: the same inputs give the same report. */
export interface EvaluationReport extends Pick<EvaluationContent, "dataset" | "run" | "queries"> {
  readonly modes: readonly MeasuredMode[];
  readonly comparisons: readonly ComparedModes[];
  readonly warnings: readonly DatasetWarning[];
}

/** A ranking that is to be measured. */
export interface ModeScores {
  readonly name: string;
  readonly kind: string;
  readonly scores: RunScores;
}

/**
 * Measures rankings, and compares those that were asked for.
 * @param compare pairs of names; by default fused against the best list of a model, and reranked against fused.
 * @throws RaglineError INVALID_ARGUMENT for a comparison with a ranking that there is not.
 */
export function evaluationReport(
  dataset: Pick<Dataset, "name" | "format" | "split" | "judgements">,
  modes: readonly ModeScores[],
  options: MeasureOptions & {
    readonly seed: number;
    readonly compare?: readonly (readonly [string, string])[];
    readonly run: EvaluationReport["run"];
    readonly warnings: readonly DatasetWarning[];
  },
): EvaluationReport {
  const measured = modes.map((mode) => ({ mode, metrics: measureRun(dataset.judgements, mode.scores, options) }));
  const byName = new Map(measured.map(({ mode, metrics }) => [mode.name, metrics]));
  const metricsOf = (name: string): RunMetrics => {
    const metrics = byName.get(name);
    if (metrics !== undefined) return metrics;
    throw usageError("NO_MODE", `there is no ranking "${name}" to compare; there are ${[...byName.keys()].join(", ")}`);
  };
  const compare = options.compare ?? defaultComparisons(measured.map(({ mode, metrics }) => ({ ...mode, metrics })));
  return {
    dataset: {
      name: dataset.name,
      format: dataset.format,
      split: dataset.split,
      queries: dataset.judgements.size,
      judgements: judgementCount(dataset.judgements),
    },
    run: options.run,
    queries: measured[0]?.metrics.queries ?? [],
    modes: measured.map(({ mode: { name, kind }, metrics }) => ({
      name,
      kind,
      metrics: Object.fromEntries(
        Object.entries(metrics.perQuery).map(([metric, values]) => [
          metric,
          bootstrapInterval(values, { seed: options.seed }),
        ]),
      ),
      missingQueries: metrics.missingQueries,
      perQuery: metrics.perQuery,
    })),
    comparisons: compare.map(([a, b]) => ({
      a,
      b,
      metrics: compareRankings(metricsOf(a), metricsOf(b), { seed: options.seed }),
    })),
    warnings: [...options.warnings, ...missingWarnings(measured)],
  };
}

const judgementCount = (judgements: Judgements): number =>
  [...judgements.values()].reduce((sum, grades) => sum + grades.size, 0);

/** Fused against the model that is best by the first metric, and reranked against fused. */
function defaultComparisons(
  modes: readonly { readonly name: string; readonly kind: string; readonly metrics: RunMetrics }[],
): [string, string][] {
  const pairs: [string, string][] = [];
  const meanOf = ({ metrics }: { readonly metrics: RunMetrics }) => Object.values(metrics.mean)[0] ?? 0;
  const singles = modes.filter(({ kind }) => kind === "dense" || kind === "learned-sparse" || kind === "bm25");
  const best = [...singles].sort((a, b) => meanOf(b) - meanOf(a))[0];
  const has = (name: string) => modes.some((mode) => mode.name === name);
  if (best !== undefined && has("fused")) pairs.push([best.name, "fused"]);
  if (has("fused") && has("reranked")) pairs.push(["fused", "reranked"]);
  return pairs;
}

function missingWarnings(
  measured: readonly { readonly mode: ModeScores; readonly metrics: RunMetrics }[],
): DatasetWarning[] {
  return measured.flatMap(({ mode, metrics }) => [
    ...(metrics.missingQueries > 0
      ? [
          {
            kind: "missing-queries",
            count: metrics.missingQueries,
            detail: `${mode.name} lacks ${metrics.missingQueries} judged queries; they count 0`,
          },
        ]
      : []),
    ...(metrics.unjudgedQueries > 0
      ? [
          {
            kind: "unjudged-queries",
            count: metrics.unjudgedQueries,
            detail: `${mode.name} has ${metrics.unjudgedQueries} queries without a judgement; they count nowhere`,
          },
        ]
      : []),
  ]);
}
