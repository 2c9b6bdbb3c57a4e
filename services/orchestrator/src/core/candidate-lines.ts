import type { FusedCandidate } from "@ragline/fusion";
import type { RunSettings } from "../run-settings.js";
import type { ChunkSpool } from "./chunk-spool.js";
import { describeQuery, type RunQuery } from "./run-queries.js";

/**
 * One JSON line per query: its candidates in order, with rank and score in every list. Query text only where that was
 * asked for.
 * @param scores what else is told of a candidate, after its fused score.
 */
export async function* candidateLines<Candidate extends FusedCandidate>(
  queries: readonly RunQuery[],
  lists: readonly (readonly Candidate[])[],
  chunks: Pick<ChunkSpool, "rows">,
  settings: Pick<RunSettings, "storeQueries">,
  scores: (candidate: Candidate) => Readonly<Record<string, number | null>>,
): AsyncGenerator<string, void, undefined> {
  for (const [i, { id, text }] of queries.entries()) {
    const candidates = lists[i] ?? [];
    const points = await chunks.rows(candidates.map(({ row }) => row));
    yield JSON.stringify({
      query_id: id,
      query: describeQuery(text, settings),
      candidates: candidates.map((candidate, rank) => ({
        id: points[rank]?.id,
        row: candidate.row,
        rank: rank + 1,
        fused_score: candidate.score,
        ...scores(candidate),
        sources: candidate.sources,
      })),
    });
  }
}
