import { barChart } from "./bar-chart.js";
import { details, type Section, table } from "./elements.js";
import type { EvaluatedMode, EvaluationContent } from "./evaluation-content.js";
import { number } from "./format.js";
import { histogram } from "./histogram.js";
import { type Html, html } from "./html.js";

/** Metrics with a plot of their own; the table has all. */
const maxPlots = 4;
const bins = 20;

const fixed = (value: number): string => value.toFixed(4);
const signed = (value: number): string => `${value < 0 ? "-" : "+"}${fixed(Math.abs(value))}`;
const firstMetric = ({ modes }: EvaluationContent): string => Object.keys(modes[0]?.metrics ?? {})[0] ?? "";

/** What was left out, or counts for nothing. */
function warningSection({ warnings }: EvaluationContent): Section {
  const rows = warnings.map(({ detail, count }) => [detail, count]);
  return {
    id: "warnings",
    title: "What was left out",
    content:
      rows.length > 0
        ? table(rows, { caption: "Warnings", head: ["what was found", "how often"] })
        : html`<p>Every query, judgement and document counts.</p>
`,
  };
}

/** Every metric of every ranking. */
function metricSection({ modes }: EvaluationContent): Section {
  const metrics = Object.keys(modes[0]?.metrics ?? {});
  const plots = metrics.slice(0, maxPlots).map((metric) => {
    const bars = modes.flatMap(({ name, metrics: of }) => {
      const figure = of[metric];
      if (!figure) return [];
      const { mean, low, high } = figure;
      return [{ label: name, to: mean, text: fixed(mean), interval: [low, high] as const }];
    });
    return html`<h3>${metric}</h3>
${barChart(bars, { label: `${metric} of every ranking, with intervals`, axis: "mean over the queries; whiskers are 95 % intervals", max: 1 })}`;
  });
  const cells = (mode: EvaluatedMode): string[] =>
    metrics.flatMap((metric) => {
      const { mean = 0, low = 0, high = 0 } = mode.metrics[metric] ?? {};
      return [fixed(mean), `${fixed(low)} to ${fixed(high)}`];
    });
  return {
    id: "metrics",
    title: "Metrics",
    content: html`${plots}${table(
      modes.map((mode) => [mode.name, mode.kind, ...cells(mode)]),
      {
        caption: "Metrics of every ranking",
        head: ["ranking", "kind", ...metrics.flatMap((metric) => [metric, "95 %"])],
        textColumns: 2,
      },
    )}`,
  };
}

/** How many queries one ranking does better on than another, by the first metric. */
function winsHtml(content: EvaluationContent, nameA: string, nameB: string): Html | undefined {
  const metric = firstMetric(content);
  const valuesOf = (name: string) => content.modes.find((mode) => mode.name === name)?.perQuery[metric];
  const [valuesA, valuesB] = [valuesOf(nameA), valuesOf(nameB)];
  if (!valuesA || !valuesB) return undefined;
  const counts = { better: 0, "the same": 0, worse: 0 };
  valuesB.forEach((value, i) => {
    const difference = value - (valuesA[i] ?? 0);
    counts[difference > 0 ? "better" : difference < 0 ? "worse" : "the same"]++;
  });
  const bars = Object.entries(counts).map(([label, queries], colour) => ({
    label,
    to: queries,
    text: number(queries),
    colour,
  }));
  return html`<h3>${nameB} against ${nameA}</h3>
${barChart(bars, { label: `Queries that ${nameB} does better and worse on than ${nameA}`, axis: `queries by ${metric}` })}`;
}

/** The differences of rankings that were compared. */
function comparisonSection(content: EvaluationContent): Section {
  const { comparisons } = content;
  const rows = comparisons.flatMap(({ a, b, metrics }) =>
    metrics.map(({ metric, difference, low, high, p }) => [
      `${b} - ${a}`,
      metric,
      signed(difference),
      `${signed(low)} to ${signed(high)}`,
      p.toFixed(5),
    ]),
  );
  return {
    id: "comparisons",
    title: "Comparisons",
    content:
      rows.length > 0
        ? html`<p>Paired over the queries: bootstrap intervals of the difference, two-sided randomisation tests.</p>
${comparisons.map(({ a, b }) => html`${winsHtml(content, a, b)}`)}${table(rows, {
  caption: "Differences",
  head: ["comparison", "metric", "difference", "95 %", "p"],
  textColumns: 2,
})}`
        : html`<p>Nothing was compared.</p>
`,
  };
}

/** How the last ranking does on single queries; they are known by their ids. */
function querySection(content: EvaluationContent): Section {
  const metric = firstMetric(content);
  const { modes, queries } = content;
  const last = modes.at(-1);
  const values = last?.perQuery[metric] ?? [];
  const counts = Array.from({ length: bins }, (_, i) => ({ from: i / bins, to: (i + 1) / bins, count: 0 }));
  for (const value of values) {
    const bin = counts[Math.min(bins - 1, Math.floor(value * bins))];
    if (bin) bin.count++;
  }
  const hardest = queries
    .map((id, i) => ({ id, value: values[i] ?? 0, all: modes.map(({ perQuery }) => perQuery[metric]?.[i]) }))
    .sort((a, b) => a.value - b.value || (a.id < b.id ? -1 : 1));
  return {
    id: "queries",
    title: "Single queries",
    content: html`<h3>${metric} of ${last?.name ?? ""}</h3>
${histogram(counts, { label: `How many queries have which ${metric}`, axis: metric, digits: 2 })}
${details(
  "Queries as a table, the hardest first",
  table(
    hardest.map(({ id, all }) => [id, ...all.map((value) => (value === undefined ? undefined : fixed(value)))]),
    { caption: `${metric} of single queries`, head: ["query", ...modes.map(({ name }) => name)] },
  ),
)}`,
  };
}

/** What was evaluated, and with what. */
function runSection({ run, dataset }: EvaluationContent): Section {
  const about = { dataset, ...run };
  return {
    id: "run",
    title: "Data set and run",
    content: table(
      Object.entries(about).map(([key, value]) => [
        key.replaceAll("_", " "),
        typeof value === "string" ? value : (JSON.stringify(value) ?? ""),
      ]),
      { caption: "What was evaluated", head: ["what", "value"], textColumns: 2 },
    ),
  };
}

/** All sections of the page of an evaluation, in order. */
export function evaluationSections(content: EvaluationContent): Section[] {
  return [
    metricSection(content),
    comparisonSection(content),
    querySection(content),
    warningSection(content),
    runSection(content),
  ];
}
