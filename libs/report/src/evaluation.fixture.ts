import type { EvaluatedMode, EvaluationContent } from "./evaluation-content.js";

function mode(name: string, kind: string, values: readonly number[]): EvaluatedMode {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const figure = { mean, low: Math.max(0, mean - 0.1), high: Math.min(1, mean + 0.1) };
  return { name, kind, metrics: { "nDCG@10": figure, MAP: figure }, perQuery: { "nDCG@10": values, MAP: values } };
}

/** An evaluation of two rankings over four queries. */
export function evaluationOf(changes: Partial<EvaluationContent> = {}): EvaluationContent {
  return {
    dataset: { name: "tiny", format: "beir", split: "test", queries: 4, judgements: 9 },
    run: { collection: "tiny", chunks: 12, fusion: { method: "zscore" } },
    queries: ["q1", "q2", "q3", "q4"],
    modes: [mode("bge", "dense", [1, 0.5, 0, 1]), mode("fused", "fused", [1, 1, 0.25, 0.5])],
    comparisons: [
      { a: "bge", b: "fused", metrics: [{ metric: "nDCG@10", difference: 0.0625, low: -0.2, high: 0.3, p: 0.75 }] },
    ],
    warnings: [{ detail: "2 judged queries have no text", count: 2 }],
    ...changes,
  };
}
