import { type AnsweredQuery, nearDuplicateSimilarity, type SelfAudit } from "@ragline/evaluation";
import type { RunSettings } from "../run-settings.js";
import type { NamedAnomaly } from "./audit-run.js";
import { describeQuery } from "./run-queries.js";

/** How many queries have answers of a kind beside their own chunk, and how many chunks these are. */
function beside(queries: readonly AnsweredQuery[], of: (query: AnsweredQuery) => readonly number[]) {
  const others = queries.map(of);
  return { queries: others.filter(({ length }) => length > 0).length, chunks: new Set(others.flat()).size };
}

/** `evaluation` of the manifest. Holds no text of a query unless that was asked for. */
export function evaluationRecord(audit: SelfAudit, settings: Pick<RunSettings, "storeQueries">): object {
  const { rankings, strata, documentsLeftOut, queries, ranks } = audit;
  return {
    kind: "self-audit",
    queries: queries.length,
    rankings,
    strata,
    documents_left_out: documentsLeftOut,
    near_duplicates: {
      similarity: nearDuplicateSimilarity,
      ...beside(queries, ({ row, duplicates }) => [...duplicates].filter((answer) => answer !== row)),
    },
    sections: beside(queries, ({ answers, duplicates }) => [...answers].filter((answer) => !duplicates.has(answer))),
    per_query: queries.map(({ kind, text, row, document, contentType, answers }, i) => ({
      kind,
      query: describeQuery(text, settings),
      row,
      document,
      content_type: contentType,
      answers: answers.size,
      ranks: Object.fromEntries(Object.entries(ranks).map(([ranking, of]) => [ranking, of[i] ?? null])),
    })),
  };
}

/** `anomalies` of the manifest. */
export function anomalyRecords(anomalies: readonly NamedAnomaly[]): object[] {
  return anomalies.map(({ kind, model, count, detail, examples }) => ({ kind, model, count, detail, examples }));
}
