import type { MessageInitShape } from "@bufbuild/protobuf";
import { type QueryScores, type ScoreRequestSchema, Stage } from "@ragline/contracts";
import { type FusedCandidate, mixRerank, type RerankedCandidate } from "@ragline/fusion";
import { RaglineError } from "@ragline/rpc";
import type { ChunkSpool } from "./chunk-spool.js";
import { type ModelRun, readModelStream } from "./model-stream.js";
import type { RunContext } from "./run-context.js";
import type { RunQuery } from "./run-queries.js";
import { stageOpen } from "./stage-requests.js";
import { withStage } from "./with-stage.js";

/** The reranked candidates of every query. */
export interface RerankResult {
  readonly candidates: readonly RerankedCandidate[][];
  /** Seconds that each query waited for its scores. */
  readonly latencySeconds: readonly number[];
  readonly run: ModelRun;
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
  const { emit, signal, settings } = context;
  return withStage(context, "rerank", async (client) => {
    const total = fused.reduce((sum, candidates) => sum + Math.min(depth, candidates.length), 0);
    const progress = { collection, stage: Stage.RERANK, model, total: BigInt(total) };
    const reranked: RerankedCandidate[][] = [];
    const latencySeconds: number[] = [];
    let done = 0;
    async function* requests(): AsyncGenerator<MessageInitShape<typeof ScoreRequestSchema>> {
      yield {
        kind: { case: "open", value: stageOpen(context, "rerank", model, { maxBatchItems: settings.rerankBatchCap }) },
      };
      for (const [i, { id, text }] of queries.entries()) {
        const rows = (fused[i] ?? []).slice(0, depth).map(({ row }) => row);
        const candidates = (await chunks.rows(rows)).map((chunk) => ({ id: chunk.id, text: chunk.text }));
        yield { kind: { case: "query", value: { queryId: id, query: text, candidates } } };
      }
    }
    const takeScores = async ({ queryId, scores, latencySeconds: seconds }: QueryScores): Promise<void> => {
      const position = reranked.length;
      const candidates = (fused[position] ?? []).slice(0, depth);
      if (queries[position]?.id !== queryId || scores.length !== candidates.length) {
        throw new RaglineError(
          "INTERNAL",
          "BAD_SCORES",
          `the rerank service sent ${scores.length} scores for ${candidates.length} candidates of a query`,
        );
      }
      const byRow = new Map(candidates.map(({ row }, i) => [row, scores[i] ?? Number.NaN]));
      reranked.push(mixRerank(candidates, byRow, settings.rerankMix));
      latencySeconds.push(seconds);
      done += scores.length;
      emit({ case: "stageProgress", value: { ...progress, done: BigInt(done) } });
    };
    emit({ case: "stageStarted", value: { ...progress, unit: "pairs" } });
    const run = await readModelStream(client.score(requests(), { signal }), () => undefined, takeScores);
    if (reranked.length !== queries.length) {
      throw new RaglineError(
        "INTERNAL",
        "SCORES_MISSING",
        `the rerank service answered ${reranked.length} of ${queries.length} queries`,
      );
    }
    return { candidates: reranked, latencySeconds, run };
  });
}
