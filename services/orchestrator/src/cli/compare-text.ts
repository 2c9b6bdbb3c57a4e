import type { PointComparison } from "@ragline/artifacts";
import type { Measure, NamedChange, SetComparison } from "../core/compare/compare-parts.js";
import type { QualityComparison } from "../core/compare/compare-quality.js";
import type { RunComparison, RunSide } from "../core/compare/compare-runs.js";
import { newTable } from "./new-table.js";

const dash = "-";
const maxNames = 10;
const maxValueCharacters = 60;

const cut = (text: string): string =>
  text.length > maxValueCharacters ? `${text.slice(0, maxValueCharacters - 1)}…` : text;
const signed = (value: number): string => `${value < 0 ? "-" : "+"}${Math.abs(value).toFixed(3)}`;
const figure = (value: number | null): string => (value === null ? dash : value.toFixed(3));

function sideLine(name: string, { dir, collection, chunks, generatedAt }: RunSide): string {
  return `${name}: ${dir}, collection ${collection}, ${chunks} chunks${generatedAt === null ? "" : `, ${generatedAt}`}`;
}

function changeTable<Value>(
  title: string,
  changes: readonly NamedChange<Value>[],
  textOf: (value: Value) => string,
): string[] {
  if (changes.length === 0) return [];
  const table = newTable([title, "a", "b"], ["left", "left", "left"]);
  const shown = (value: Value | null): string => (value === null ? dash : cut(textOf(value)));
  for (const { name, a, b } of changes) table.push([name, shown(a), shown(b)]);
  return [table.toString()];
}

function listNames(names: readonly string[]): string {
  const rest = names.length - maxNames;
  return `${names.slice(0, maxNames).join(", ")}${rest > 0 ? ` and ${rest} more` : ""}`;
}

/** "Inputs: 44 are the same; changed: a.md; only in b: c.md". */
function setLine(title: string, { same, changed, added, removed }: SetComparison): string {
  const parts = [
    `${same} ${same === 1 ? "is" : "are"} the same`,
    ...(changed.length > 0 ? [`changed: ${listNames(changed.map(({ name }) => name))}`] : []),
    ...(removed.length > 0 ? [`only in a: ${listNames(removed)}`] : []),
    ...(added.length > 0 ? [`only in b: ${listNames(added)}`] : []),
  ];
  return `${title}: ${parts.join("; ")}`;
}

function pointLine({ same, added, removed }: PointComparison): string {
  const example = ({ first }: PointComparison["added"]): string => {
    const [one] = first;
    return one === undefined ? "" : ` (first: row ${one.row} of ${one.document}, ${one.id})`;
  };
  return `Chunks: ${same} are the same; only in a: ${removed.count}${example(removed)}; only in b: ${added.count}${example(added)}`;
}

function qualityText({ changes, queries }: QualityComparison): string[] {
  if (changes.length === 0) return [];
  const table = newTable(
    ["ranking", "metric", "a", "b", "difference", "95 %", "p"],
    ["left", "left", "right", "right", "right", "right", "right"],
  );
  for (const { ranking, metric, a, b, paired } of changes)
    table.push([
      ranking,
      metric,
      figure(a),
      figure(b),
      ...(paired === null
        ? [dash, dash, dash]
        : [signed(paired.difference), `${signed(paired.low)} to ${signed(paired.high)}`, paired.p.toFixed(4)]),
    ]);
  return [
    `Self-audit: differences b - a over the ${queries.same} queries that both runs have, paired randomisation test\n${table.toString()}`,
  ];
}

const units: Readonly<Record<Measure["unit"], (value: number) => string>> = {
  seconds: (value) => `${value.toFixed(2)} s`,
  "items/s": (value) => `${value.toFixed(1)}/s`,
  bytes: (value) => `${Math.round(value / 1e6)} MB`,
};

function measureText(title: string, measures: readonly Measure[]): string[] {
  if (measures.length === 0) return [];
  const table = newTable([title, "a", "b", "b / a"], ["left", "right", "right", "right"]);
  for (const { name, unit, a, b, ratio } of measures)
    table.push([
      name,
      a === null ? dash : units[unit](a),
      b === null ? dash : units[unit](b),
      ratio === null ? dash : ratio.toFixed(2),
    ]);
  return [table.toString()];
}

/** What a person reads of a comparison: what differs, part by part; what is the same is only counted. */
export function compareText(comparison: RunComparison): string {
  const { a, b, configuration, versions, models, inputs, files, points, quality, speed, memory, findings, warnings } =
    comparison;
  return [
    `${sideLine("a", a)}\n${sideLine("b", b)}`,
    ...(warnings.length > 0 ? [`Warnings:\n${warnings.map(({ detail }) => `  ${detail}`).join("\n")}`] : []),
    ...(configuration?.length === 0 ? ["Configuration: every setting has the same value"] : []),
    ...changeTable("setting", configuration ?? [], ({ value, layer }) => `${JSON.stringify(value)} (${layer})`),
    ...changeTable("version", versions, String),
    [
      setLine("Models", models),
      setLine("Inputs", inputs),
      setLine("Files", files),
      ...(points === null ? [] : [pointLine(points)]),
    ].join("\n"),
    ...qualityText(quality),
    ...measureText("time", speed),
    ...measureText("peak memory", memory),
    ...changeTable("outcome or anomaly", findings, String),
  ].join("\n\n");
}
