import type { RerankedCandidate } from "@ragline/fusion";
import type { RunSettings } from "../run-settings.js";
import { candidateLines } from "./candidate-lines.js";
import type { ChunkSpool } from "./chunk-spool.js";
import type { RunQuery } from "./run-queries.js";

/** The lines of the rerank file: for each query its kept candidates, with the CrossEncoder's score and the mixed one. */
export function rerankLines(
  queries: readonly RunQuery[],
  candidates: readonly (readonly RerankedCandidate[])[],
  chunks: Pick<ChunkSpool, "rows">,
  settings: Pick<RunSettings, "storeQueries" | "rerankTopK">,
): AsyncGenerator<string, void, undefined> {
  const kept = candidates.map((list) => list.slice(0, settings.rerankTopK));
  return candidateLines(queries, kept, chunks, settings, ({ rerankScore, mixedScore }) => ({
    rerank_score: rerankScore ?? null,
    mixed_score: mixedScore ?? null,
  }));
}
