import { OutcomeReason, type QueryScores, Stage } from "@ragline/contracts";
import { type FusedCandidate, mixRerank, type RerankedCandidate } from "@ragline/fusion";
import { RaglineError } from "@ragline/rpc";
import type { ChunkSpool } from "./chunk-spool.js";
import { failureOutcome, ItemFailures, listIds } from "./item-failures.js";
import type { ModelRun } from "./model-stream.js";
import type { RunContext } from "./run-context.js";
import { runModel } from "./run-model.js";
import type { RunQuery } from "./run-queries.js";
import { stageOpen } from "./stage-requests.js";

/** The reranked candidates of every query. */
export interface RerankResult {
  /** Candidates that the model did not score follow the others in fused order, without a score. */
  readonly candidates: readonly RerankedCandidate[][];
  /** Seconds that each query waited for its scores. */
  readonly latencySeconds: readonly number[];
  readonly run: ModelRun;
}

/** A query with the texts of its candidates. */
interface QueryBatch {
  readonly position: number;
  readonly queryId: string;
  readonly query: string;
  readonly candidates: { id: string; text: string }[];
}

/** Scores the first `depth` fused candidates of every query and mixes the scores with the fused ones. */
export async function rerankCandidates(
  context: RunContext,
  collection: string,
  model: string,
  chunks: ChunkSpool,
  queries: readonly RunQuery[],
  fused: readonly FusedCandidate[][],
  depth: number,
): Promise<RerankResult> {
  const { settings } = context;
  const lists = queries.map((_, i) => (fused[i] ?? []).slice(0, depth));
  const reranked: RerankedCandidate[][] = [];
  const latencySeconds: number[] = [];
  const failures = new ItemFailures<string>();
  const failedQueries = new Map<OutcomeReason, Set<string>>();
  async function* batches(): AsyncGenerator<QueryBatch> {
    for (const [position, { id, text }] of queries.entries()) {
      const rows = (lists[position] ?? []).map(({ row }) => row);
      const candidates = (await chunks.rows(rows)).map((chunk) => ({ id: chunk.id, text: chunk.text }));
      yield { position, queryId: id, query: text, candidates };
    }
  }
  const open = stageOpen(context, "rerank", model, {
    maxBatchItems: settings.rerankBatchCap,
    latencyTargetMs: Math.round(settings.rerankTimeout),
  });
  async function* requests(toScore: AsyncIterable<QueryBatch>) {
    yield { kind: { case: "open" as const, value: open } };
    for await (const { queryId, query, candidates } of toScore)
      yield { kind: { case: "query" as const, value: { queryId, query, candidates } } };
  }
  const run = await runModel<"rerank", QueryBatch, QueryScores>(context, {
    stage: "rerank",
    model,
    collection,
    unit: "pairs",
    total: () => lists.reduce((sum, { length }) => sum + length, 0),
    batches: batches(),
    itemsOf: ({ candidates }) => candidates.length,
    open: (client, toScore, signal) => client.score(requests(toScore), { signal }),
    check: ({ queryId, candidates }, { queryId: answered, scores }) => {
      if (answered === queryId && scores.length === candidates.length) return;
      const message = `the rerank service sent ${scores.length} scores for ${candidates.length} candidates of a query; is it of the same version?`;
      throw new RaglineError("INTERNAL", "BAD_SCORES", message);
    },
    onResult: async (
      { position, queryId, candidates: texts },
      { scores, failures: failed, latencySeconds: seconds },
    ) => {
      const candidates = lists[position] ?? [];
      const unscored = new Set(failed.map((failure) => failure.position));
      for (const failure of failed) {
        failures.add(failure, `${queryId}: ${texts[failure.position]?.id}`);
        failedQueries.set(failure.reason, (failedQueries.get(failure.reason) ?? new Set()).add(queryId));
      }
      const scored = candidates.flatMap(({ row }, i) =>
        unscored.has(i) ? [] : [[row, scores[i] ?? Number.NaN] as const],
      );
      reranked.push(mixRerank(candidates, new Map(scored), settings.rerankMix));
      latencySeconds.push(seconds);
    },
  });
  for (const group of failures.groups) {
    const { reason, count, items, detail: said } = group;
    const some = `${count} candidates of ${failedQueries.get(reason)?.size ?? 0} queries`;
    const detail =
      reason === OutcomeReason.TIMEOUT
        ? `${some} were not scored within ${settings.rerankTimeout} ms by ${model}; they keep their fused order; raise --rerank-timeout or lower --rerank-candidates`
        : `${some} ${listIds(items, count)} have no score of ${model} and keep their fused order: ${said}`;
    run.summary.outcomes.push(failureOutcome(group, { stage: Stage.RERANK, model, detail }));
  }
  return { candidates: reranked, latencySeconds, run };
}
