import { OutcomeReason } from "@ragline/contracts";
import type { Reranker } from "@ragline/inference";
import { itemFailures } from "@ragline/stage";
import type { LatencyGovernor } from "./latency-governor.js";

/** Scores of one query's candidates. */
export interface ScoredCandidates {
  /** One score per candidate, NaN for one that `failures` names. */
  readonly scores: Float32Array;
  readonly truncated: number;
  readonly failures: ReturnType<typeof itemFailures>;
  readonly seconds: number;
}

/** Scores a query's candidates, the first ones first, as many as the latency target allows. */
export async function scoreCandidates(
  reranker: Reranker,
  governor: LatencyGovernor,
  query: string,
  texts: readonly string[],
): Promise<ScoredCandidates> {
  const startedAt = performance.now();
  const elapsed = () => (performance.now() - startedAt) / 1000;
  const { candidates, pairsAtOnce } = governor.plan(texts.length);
  const scores = new Float32Array(texts.length).fill(Number.NaN);
  const failures: ReturnType<typeof itemFailures> = [];
  let truncated = 0;
  let scored = 0;
  while (scored < candidates) {
    if (scored > 0 && governor.targetSeconds > 0 && elapsed() >= governor.targetSeconds) break;
    const to = Math.min(candidates, scored + pairsAtOnce);
    const part = await reranker.score(query, texts.slice(scored, to));
    scores.set(part.scores, scored);
    truncated += part.truncated.length;
    for (const failure of itemFailures(part.failures))
      failures.push({ ...failure, position: scored + (failure.position ?? 0) });
    scored = to;
  }
  governor.observe(elapsed(), scored);
  const detail = `not scored within the ${governor.targetSeconds * 1000} ms that one query may take`;
  for (let position = scored; position < texts.length; position++)
    failures.push({ position, reason: OutcomeReason.TIMEOUT, detail });
  return { scores, truncated, failures, seconds: elapsed() };
}
