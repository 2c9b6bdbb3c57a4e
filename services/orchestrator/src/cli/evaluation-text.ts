import type { EvaluationReport } from "../core/eval/evaluation-report.js";
import { newTable } from "./new-table.js";

const fixed = (value: number): string => value.toFixed(4);
const signed = (value: number): string => `${value < 0 ? "-" : "+"}${fixed(Math.abs(value))}`;

/** What a person reads of an evaluation: a table of means, what was compared, what was left out. */
export function evaluationText(report: EvaluationReport, allMetrics: boolean): string {
  const { dataset, modes, comparisons, warnings } = report;
  const split = dataset.split === "" ? "" : `, ${dataset.split}`;
  const names = Object.keys(modes[0]?.metrics ?? {});
  const [first = ""] = names;
  const table = newTable(
    ["ranking", ...names, `95 % of ${first}`],
    ["left", ...names.map(() => "right" as const), "right"],
  );
  for (const { name, metrics } of modes) {
    const { low = 0, high = 0 } = metrics[first] ?? {};
    table.push([name, ...names.map((metric) => fixed(metrics[metric]?.mean ?? 0)), `${fixed(low)} - ${fixed(high)}`]);
  }
  const parts = [
    `${dataset.name} (${dataset.format}${split}): ${dataset.queries} queries, ${dataset.judgements} judgements`,
  ];
  parts.push(table.toString());
  if (comparisons.length > 0) {
    const compared = newTable(
      ["comparison", "metric", "difference", "95 %", "p"],
      ["left", "left", "right", "right", "right"],
    );
    for (const { a, b, metrics } of comparisons)
      for (const { metric, difference, low, high, p } of allMetrics ? metrics : metrics.slice(0, 1))
        compared.push([`${b} - ${a}`, metric, signed(difference), `${signed(low)} to ${signed(high)}`, p.toFixed(5)]);
    parts.push("", "Paired randomisation test, two-sided", compared.toString());
  }
  if (warnings.length > 0) parts.push("", "Warnings:", ...warnings.map(({ detail }) => `  ${detail}`));
  return parts.join("\n");
}
