import type { DatasetQuery } from "./dataset.js";
import type { WarningCounter } from "./dataset-error.js";
import type { Judgements } from "./judgements.js";

/**
 * The queries that can be measured: those with a judgement and a text. Judgements of other queries are taken out, and both
 * kinds that are left out are counted; queries without any judgement are no fault and are not.
 */
export function judgedQueries(
  queries: readonly DatasetQuery[],
  judgements: Judgements,
  counter: WarningCounter,
): { queries: DatasetQuery[]; judgements: Judgements } {
  const textOf = new Map(queries.map(({ id, text }) => [id, text]));
  const kept = new Map([...judgements].filter(([id]) => (textOf.get(id) ?? "").trim() !== ""));
  for (const id of judgements.keys()) {
    if (!textOf.has(id))
      counter.add("judged-query-missing", "N judged queries are not among the queries and are left out", `query ${id}`);
    else if (!kept.has(id))
      counter.add("query-without-text", "N judged queries have no text and are left out", `query ${id}`);
  }
  return { queries: queries.filter(({ id }) => kept.has(id)), judgements: kept };
}
