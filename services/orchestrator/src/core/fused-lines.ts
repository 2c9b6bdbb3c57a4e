import type { FusedCandidate } from "@ragline/fusion";
import type { RunSettings } from "../run-settings.js";
import { candidateLines } from "./candidate-lines.js";
import type { ChunkSpool } from "./chunk-spool.js";
import type { RunQuery } from "./run-queries.js";

/** The lines of the file of fused candidates: for each query all that any list found. */
export function fusedLines(
  queries: readonly RunQuery[],
  fused: readonly (readonly FusedCandidate[])[],
  chunks: Pick<ChunkSpool, "rows">,
  settings: Pick<RunSettings, "storeQueries">,
): AsyncGenerator<string, void, undefined> {
  return candidateLines(queries, fused, chunks, settings, () => ({}));
}
