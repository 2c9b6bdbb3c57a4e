import type { Manifest } from "@ragline/artifacts";
import { wilsonInterval } from "@ragline/evaluation";
import { barChart } from "./bar-chart.js";
import { details, type Section, table } from "./elements.js";
import { count, number } from "./format.js";
import { type Html, html } from "./html.js";
import type { ReportContent } from "./report-content.js";

type Evaluation = NonNullable<Manifest["evaluation"]>;
type Figures = NonNullable<Evaluation["rankings"]>[number];
type Stratum = NonNullable<Evaluation["strata"]>[number];
type Interval = readonly [low: number, high: number];

const figures = [
  ["hitAt1", "hit@1"],
  ["hitAt10", "hit@10"],
  ["mrrAt10", "MRR@10"],
] as const;

/** As the manifest tells it; of a share it can be told without. */
function intervalOf(row: Figures, figure: (typeof figures)[number][0]): Interval | undefined {
  return row.intervals?.[figure] ?? (figure === "mrrAt10" ? undefined : wilsonInterval(row[figure], row.queries));
}

const span = (interval: Interval | undefined): string =>
  interval === undefined ? "–" : `${number(interval[0], 3)} to ${number(interval[1], 3)}`;

const figureCells = (row: Figures): string[] =>
  figures.flatMap(([figure]) => [row[figure].toFixed(3), span(intervalOf(row, figure))]);

const figureHead = figures.flatMap(([, name]) => [name, "95 % interval"]);

function plot(
  rows: readonly { readonly label: string; readonly figures: Figures }[],
  [figure, name]: (typeof figures)[number],
  of: string,
): Html {
  const bars = rows.map(({ label, figures: row }) => {
    const interval = intervalOf(row, figure);
    return { label, to: row[figure], text: row[figure].toFixed(3), ...(interval ? { interval } : {}) };
  });
  const unit = figure === "mrrAt10" ? "mean of 1 / rank" : "share of queries";
  return html`<h3>${name} ${of}</h3>
${barChart(bars, { label: `${name} ${of}, with intervals`, axis: `${unit}; whiskers are 95 % intervals`, max: 1 })}`;
}

/** The last ranking by kind of query and by what the chunks hold, and the documents that it does worst on. */
function strataHtml(strata: readonly Stratum[], ranking: string): Html {
  const rowOf = ({ rankings }: Stratum): Figures | undefined => rankings.find((row) => row.ranking === ranking);
  const parts = strata.filter(({ by }) => by !== "document");
  const rows = parts.flatMap((stratum) => {
    const row = rowOf(stratum);
    return row ? { label: `${stratum.value} (${count(stratum.queries, "query", "queries")})`, figures: row } : [];
  });
  const documents = strata.filter(({ by }) => by === "document");
  return html`${rows.length > 0 ? plot(rows, figures[2], `of ${ranking} by part`) : undefined}${details(
    "Parts as a table",
    table(
      parts.flatMap(({ by, value, rankings }) =>
        rankings.map((row) => [by.replaceAll("_", " "), value, row.ranking, row.queries, ...figureCells(row)]),
      ),
      {
        caption: "Self-audit by kind of query and content type",
        head: ["part", "value", "ranking", "queries", ...figureHead],
        textColumns: 3,
      },
    ),
  )}${
    documents.length > 0
      ? details(
          "Documents as a table, the worst first",
          table(
            documents.map((stratum) => {
              const row = rowOf(stratum);
              return [
                stratum.value,
                stratum.queries,
                row?.hitAt1.toFixed(3),
                row?.hitAt10.toFixed(3),
                row?.mrrAt10.toFixed(3),
              ];
            }),
            {
              caption: `Self-audit of ${ranking} by document`,
              head: ["document", "queries", "hit@1", "hit@10", "MRR@10"],
              maxRows: 100,
            },
          ),
        )
      : undefined
  }`;
}

/** The rank of the first right chunk for each query, the worst first; what a query says only where a run keeps that. */
function queriesHtml(queries: NonNullable<Evaluation["per_query"]>, names: readonly string[]): Html {
  const last = names.at(-1) ?? "";
  const worst = (ranks: (typeof queries)[number]["ranks"]): number => ranks[last] ?? Infinity;
  const rows = [...queries]
    .sort((a, b) => worst(b.ranks) - worst(a.ranks) || a.row - b.row)
    .map(({ kind, query, row, ranks, ...more }) => [
      kind,
      query.text ?? query.sha256,
      typeof more["document"] === "string" ? more["document"] : "",
      row,
      ...names.map((name) => ranks[name]),
    ]);
  return details(
    "Queries as a table, the worst first",
    table(rows, {
      caption: "Rank of the first right chunk for each query",
      head: ["kind", "query", "document", "row", ...names],
      textColumns: 3,
    }),
  );
}

/** The self-audit of every ranking, over all queries, by part and by query. */
export function qualitySection({ manifest }: ReportContent): Section {
  const {
    rankings = [],
    strata = [],
    near_duplicates: duplicates,
    sections,
    per_query: queries = [],
  } = manifest.evaluation ?? {};
  const names = rankings.map(({ ranking }) => ranking);
  const [first] = rankings;
  const title = "Quality of the rankings";
  if (!first)
    return {
      id: "quality",
      title,
      content: html`<p>This run made no self-audit, so nothing is known of its quality.</p>
`,
    };
  const rows = rankings.map((row) => ({ label: row.ranking, figures: row }));
  const copies = duplicates?.queries
    ? ` ${count(duplicates.queries, "query has", "queries have")} more than one right chunk, since ${count(duplicates.chunks, "chunk says", "chunks say")} the same.`
    : "";
  const parts = sections?.queries
    ? ` ${count(sections.queries, "heading is", "headings are")} answered by any chunk of its section.`
    : "";
  return {
    id: "quality",
    title,
    content: html`<p>Self-audit: how often each ranking finds the chunk that a query was made from, for ${number(first.queries)} queries made from the chunks themselves.${copies}${parts}</p>
${figures.map((figure) => plot(rows, figure, "of every ranking"))}${details(
  "Quality as a table",
  table(
    rankings.map((row) => [row.ranking, row.queries, ...figureCells(row)]),
    { caption: "Self-audit", head: ["ranking", "queries", ...figureHead] },
  ),
)}${strata.length > 0 ? strataHtml(strata, names.at(-1) ?? "") : undefined}${queries.length > 0 ? queriesHtml(queries, names) : undefined}`,
  };
}
