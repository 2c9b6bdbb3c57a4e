import type { Metrics } from "./metrics.js";

/** What the orchestrator counts of its runs. Label values are few: never an id, a path or a text. */
export interface RunMetrics {
  /** `<ns>_chunks_total{stage,outcome}`: items that ended as `outcome`. */
  countChunks(stage: string, outcome: string, count: number): void;
  /** `<ns>_candidate_count{stage}`: candidates of one query. */
  observeCandidates(stage: string, count: number): void;
  /** `<ns>_sparse_coverage_ratio{model}`: share of chunks with a sparse vector. */
  setSparseCoverage(model: string, ratio: number): void;
  /** `<ns>_fallback_total{stage,reason,source}`, and `<ns>_rerank_fallback_total`: one degradation. */
  countFallback(stage: string, reason: string, source: string): void;
}

/** The metrics of runs. */
export function runMetrics(metrics: Metrics): RunMetrics {
  return {
    countChunks: (stage, outcome, count) => metrics.count("chunks", { stage, outcome }, count),
    observeCandidates: (stage, count) => metrics.observe("candidates", { stage }, count),
    setSparseCoverage: (model, ratio) => metrics.set("sparseCoverage", { model }, ratio),
    countFallback: (stage, reason, source) => {
      metrics.count("fallbacks", { stage, reason, source });
      if (stage === "rerank") metrics.count("rerankFallbacks");
    },
  };
}

/** Metrics of runs that are kept nowhere. */
export const noRunMetrics: RunMetrics = {
  countChunks() {},
  observeCandidates() {},
  setSparseCoverage() {},
  countFallback() {},
};
