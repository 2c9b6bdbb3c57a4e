import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type EvaluationContent, writeEvaluationReport } from "@ragline/report";

const queries = 24;
const metrics = ["nDCG@10", "MRR@10", "Recall@100", "MAP", "judged@10"];

function mode(name: string, kind: string, quality: number): EvaluationContent["modes"][number] {
  const values = Array.from({ length: queries }, (_, i) => Math.min(1, Math.abs(Math.sin(i * quality)) * quality));
  const mean = values.reduce((sum, value) => sum + value, 0) / queries;
  const figure = { mean, low: mean - 0.05, high: mean + 0.05 };
  return {
    name,
    kind,
    metrics: Object.fromEntries(metrics.map((metric) => [metric, figure])),
    perQuery: Object.fromEntries(metrics.map((metric) => [metric, values])),
  };
}

const comparison = (a: string, b: string): EvaluationContent["comparisons"][number] => ({
  a,
  b,
  metrics: metrics.map((metric) => ({ metric, difference: 0.03, low: 0.01, high: 0.05, p: 0.008 })),
});

/** The page of an evaluation that is made up, in a temporary directory. */
export async function drawSampleEvaluation(): Promise<{ readonly path: string; remove(): Promise<void> }> {
  const dir = await mkdtemp(join(tmpdir(), "ragline-evaluation-check-"));
  const content: EvaluationContent = {
    dataset: { name: "sample", format: "beir", split: "test", queries, judgements: 400 },
    run: { collection: "sample", chunks: 5000, depth: 1000, fusion: { method: "zscore", weights: { dense: 2 } } },
    queries: Array.from({ length: queries }, (_, i) => `query-${i}`),
    modes: [mode("bge-small-en-v1.5", "dense", 0.7), mode("fused", "fused", 0.8), mode("reranked", "reranked", 0.85)],
    comparisons: [comparison("bge-small-en-v1.5", "fused"), comparison("fused", "reranked")],
    warnings: [{ detail: "3 judgements are of documents that the data set does not have", count: 3 }],
  };
  const path = await writeEvaluationReport(join(dir, "evaluation.html"), content, "0.1.0");
  return { path, remove: () => rm(dir, { recursive: true, force: true }) };
}
