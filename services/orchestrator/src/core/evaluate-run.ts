import { type KnownItemMetrics, knownItemMetrics } from "@ragline/evaluation";
import type { FusedCandidate } from "@ragline/fusion";
import type { ModelResults } from "./retrieve.js";
import type { RunQuery } from "./run-queries.js";

/** How often one ranking finds the chunk that a query was made from. */
export interface AuditRow extends KnownItemMetrics {
  /** A model's key, "fused" or "reranked". */
  readonly ranking: string;
}

type Rankings = readonly (readonly { readonly row: number }[])[];

/** The self-audit: every model alone, fused, and reranked. Empty when the queries came from outside. */
export function evaluateRun(
  queries: readonly RunQuery[],
  results: readonly ModelResults[],
  fused: readonly FusedCandidate[][],
  reranked: Rankings | undefined,
): AuditRow[] {
  const answers = queries.flatMap(({ answer }) => answer ?? []);
  if (queries.length === 0 || answers.length !== queries.length) return [];
  const measure = (ranking: string, rankings: Rankings): AuditRow => ({
    ranking,
    ...knownItemMetrics(
      rankings.map((candidates) => candidates.map(({ row }) => row)),
      answers,
    ),
  });
  return [
    ...results.map(({ model, lists }) => measure(model, lists)),
    measure("fused", fused),
    ...(reranked ? [measure("reranked", reranked)] : []),
  ];
}
