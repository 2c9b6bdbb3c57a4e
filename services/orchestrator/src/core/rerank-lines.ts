import type { RerankedCandidate } from "@ragline/fusion";
import type { RunSettings } from "../run-settings.js";
import type { ChunkSpool } from "./chunk-spool.js";
import { describeQuery, type RunQuery } from "./run-queries.js";

/** The lines of the rerank file: for each query its kept candidates with rank and score in every list. Query text only where that was asked for. */
export async function rerankLines(
  queries: readonly RunQuery[],
  candidates: readonly (readonly RerankedCandidate[])[],
  chunks: ChunkSpool,
  settings: RunSettings,
): Promise<string[]> {
  const lines: string[] = [];
  for (const [i, { id, text }] of queries.entries()) {
    const kept = (candidates[i] ?? []).slice(0, settings.rerankTopK);
    const ids = (await chunks.rows(kept.map(({ row }) => row))).map((chunk) => chunk.id);
    lines.push(
      JSON.stringify({
        query_id: id,
        query: describeQuery(text, settings),
        candidates: kept.map(({ row, score, rerankScore, mixedScore, sources }, rank) => ({
          id: ids[rank],
          row,
          rank: rank + 1,
          fused_score: score,
          rerank_score: rerankScore ?? null,
          mixed_score: mixedScore ?? null,
          sources,
        })),
      }),
    );
  }
  return lines;
}
