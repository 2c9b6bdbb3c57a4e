import { OutcomeReason, OutcomeSource, type QueryCandidates, type RerankService, Stage } from "@ragline/contracts";
import { openReranker } from "@ragline/inference";
import type { Handlers } from "@ragline/rpc";
import { openStage, type StageOptions, streamBatches, summarise, takeOpen } from "@ragline/stage";
import { LatencyGovernor } from "./core/latency-governor.js";
import { scoreCandidates } from "./core/score-candidates.js";

/** The rpc handlers of the rerank stage. */
export function rerankHandlers(options: StageOptions): Handlers<typeof RerankService> {
  return {
    score: async function* (requests, { signal }) {
      const { open, items } = await takeOpen(requests, "query");
      const stage = await openStage(Stage.RERANK, open, options, signal);
      try {
        yield { kind: { case: "ready", value: stage.ready } };
        const reranker = openReranker(stage.session, stage.tokenizer);
        const governor = new LatencyGovernor(open.latencyTargetMs / 1000, () => stage.session.budget.latency());
        const score = async ({ queryId, query, candidates }: QueryCandidates) => {
          const texts = candidates.map(({ text }) => text);
          const { scores, truncated, failures, seconds } = await scoreCandidates(reranker, governor, query, texts);
          const reply = {
            queryId,
            scores: [...scores],
            failures,
            latencySeconds: seconds,
            ...(candidates.length > 0 ? {} : { outcome: noCandidates(stage.entry.key) }),
          };
          return { reply, items: candidates.length, truncated, failed: failures.length };
        };
        const pairTexts = ({ query, candidates }: QueryCandidates) => candidates.map(({ text }) => query + text);
        for await (const scores of streamBatches(stage, items, pairTexts, score))
          yield { kind: { case: "scores", value: scores } };
        const { report } = governor;
        if (report)
          stage.tally.report({
            reason: OutcomeReason.BATCH_RESIZED,
            count: BigInt(report.cuts),
            detail: `${stage.entry.key}: ${report.detail}`,
          });
        yield { kind: { case: "summary", value: summarise(stage) } };
      } finally {
        await stage.close();
      }
    },
  };
}

function noCandidates(model: string) {
  return {
    stage: Stage.RERANK,
    reason: OutcomeReason.NO_CANDIDATES,
    source: OutcomeSource.RUNTIME,
    model,
    count: 1n,
    detail: "a query had no candidates to score",
  };
}
