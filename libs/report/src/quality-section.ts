import { wilsonInterval } from "@ragline/evaluation";
import { barChart } from "./bar-chart.js";
import { details, type Section, table } from "./elements.js";
import { number } from "./format.js";
import { html } from "./html.js";
import type { ReportContent } from "./report-content.js";

interface Ranking {
  readonly ranking: string;
  readonly queries: number;
  readonly hitAt1: number;
  readonly hitAt10: number;
  readonly mrrAt10: number;
}

function isRanking(value: unknown): value is Ranking {
  if (typeof value !== "object" || value === null) return false;
  const { ranking, queries, hitAt1, hitAt10, mrrAt10 } = value as Record<string, unknown>;
  return (
    typeof ranking === "string" && [queries, hitAt1, hitAt10, mrrAt10].every((figure) => typeof figure === "number")
  );
}

function rankingsOf({ manifest }: ReportContent): Ranking[] {
  const { evaluation } = manifest;
  if (typeof evaluation !== "object" || evaluation === null || !("rankings" in evaluation)) return [];
  return Array.isArray(evaluation.rankings) ? evaluation.rankings.filter(isRanking) : [];
}

const span = ([low, high]: readonly [number, number]): string => `${number(low, 3)} to ${number(high, 3)}`;

/** The self-audit of every ranking. */
export function qualitySection(content: ReportContent): Section {
  const rankings = rankingsOf(content);
  const [first] = rankings;
  const title = "Quality of the rankings";
  if (!first)
    return {
      id: "quality",
      title,
      content: html`<p>This run made no self-audit, so nothing is known of its quality.</p>
`,
    };
  const plot = (name: string, valueOf: (ranking: Ranking) => number) =>
    html`<h3>${name}</h3>
${barChart(
  rankings.map((ranking) => {
    const value = valueOf(ranking);
    return {
      label: ranking.ranking,
      to: value,
      text: value.toFixed(3),
      interval: wilsonInterval(value, ranking.queries),
    };
  }),
  { label: `${name} of every ranking, with intervals`, axis: "share of queries; whiskers are 95 % intervals", max: 1 },
)}`;
  return {
    id: "quality",
    title,
    content: html`<p>Self-audit: how often each ranking finds the chunk that a query was made from, for ${number(first.queries)} queries made from the chunks themselves.</p>
${plot("hit@1", ({ hitAt1 }) => hitAt1)}${plot("hit@10", ({ hitAt10 }) => hitAt10)}${details(
  "Quality as a table",
  table(
    rankings.map(({ ranking, queries, hitAt1, hitAt10, mrrAt10 }) => [
      ranking,
      queries,
      hitAt1.toFixed(3),
      span(wilsonInterval(hitAt1, queries)),
      hitAt10.toFixed(3),
      span(wilsonInterval(hitAt10, queries)),
      mrrAt10.toFixed(3),
    ]),
    {
      caption: "Self-audit",
      head: ["ranking", "queries", "hit@1", "95 % interval", "hit@10", "95 % interval", "MRR@10"],
    },
  ),
)}`,
  };
}
