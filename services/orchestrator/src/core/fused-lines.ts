import type { FusedCandidate } from "@ragline/fusion";
import type { RunSettings } from "../run-settings.js";
import type { ChunkSpool } from "./chunk-spool.js";
import { describeQuery, type RunQuery } from "./run-queries.js";

/** The lines of the file of fused candidates: for each query all that any list found, with rank and score in every list. Query text only where that was asked for. */
export async function* fusedLines(
  queries: readonly RunQuery[],
  fused: readonly (readonly FusedCandidate[])[],
  chunks: Pick<ChunkSpool, "rows">,
  settings: Pick<RunSettings, "storeQueries">,
): AsyncGenerator<string, void, undefined> {
  for (const [i, { id, text }] of queries.entries()) {
    const candidates = fused[i] ?? [];
    const points = await chunks.rows(candidates.map(({ row }) => row));
    yield JSON.stringify({
      query_id: id,
      query: describeQuery(text, settings),
      candidates: candidates.map(({ row, score, sources }, rank) => ({
        id: points[rank]?.id,
        row,
        rank: rank + 1,
        fused_score: score,
        sources,
      })),
    });
  }
}
