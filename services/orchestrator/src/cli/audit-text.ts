import type { AuditRow, AuditStratum } from "@ragline/evaluation";
import type { NamedAnomaly } from "../core/audit-run.js";
import type { CollectionSummary } from "../core/run-summary.js";
import { newTable } from "./new-table.js";

const fixed = (value: number): string => value.toFixed(3);
const shownDocuments = 3;

function figures({ hitAt1, hitAt10, mrrAt10, intervals }: AuditRow): string[] {
  const [low, high] = intervals?.mrrAt10 ?? [];
  const interval = low === undefined || high === undefined ? "" : `${fixed(low)} to ${fixed(high)}`;
  return [fixed(hitAt1), fixed(hitAt10), fixed(mrrAt10), interval];
}

/** The last ranking, which is what the run is for, by kind of query and by what the chunks hold; its worst documents. */
function strataText(strata: readonly AuditStratum[], ranking: string): string {
  const table = newTable(
    [`${ranking}, by`, "queries", "hit@1", "hit@10", "MRR@10", "95 % of MRR"],
    ["left", "right", "right", "right", "right", "right"],
  );
  const worst = strata
    .filter(({ by, rankings }) => by === "document" && (rankings.at(-1)?.hitAt10 ?? 1) < 1)
    .slice(0, shownDocuments);
  for (const { value, queries, rankings } of [...strata.filter(({ by }) => by !== "document"), ...worst]) {
    const row = rankings.find((one) => one.ranking === ranking);
    if (row) table.push([value, queries, ...figures(row)]);
  }
  return table.toString();
}

/** What a person reads of the self-audit. */
export function auditText({ selfAudit, auditStrata }: CollectionSummary): string {
  const table = newTable(
    ["ranking", "hit@1", "hit@10", "MRR@10", "95 % of MRR"],
    ["left", "right", "right", "right", "right"],
  );
  for (const row of selfAudit) table.push([row.ranking, ...figures(row)]);
  const title = `Self-audit: how often ${selfAudit[0]?.queries ?? 0} queries made from the chunks find their own chunk, one that says the same, or for a heading one of its section`;
  const last = selfAudit.at(-1)?.ranking ?? "";
  return `${title}\n${table.toString()}\n\n${strataText(auditStrata, last)}`;
}

/** What a person reads of anomalies. */
export function anomalyText(anomalies: readonly NamedAnomaly[]): string {
  const lines = anomalies.map(({ kind, detail, examples }) => {
    const [first] = examples;
    return `  ${kind.replaceAll("_", " ")}: ${detail}${first ? ` (row ${first.row} of ${first.document})` : ""}`;
  });
  return `Anomalies:\n${lines.join("\n")}`;
}
