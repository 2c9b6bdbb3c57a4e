import Table from "cli-table3";
import type { Machine } from "./machine.js";
import type { Spread } from "./statistics.js";

/** One thing that was measured, over all rounds. */
export interface Figure extends Spread {
  readonly name: string;
  /** Such as "texts/s"; empty for a ratio. */
  readonly unit: string;
  /** What the median has to reach, for a ratio or a limit. */
  readonly aim?: { readonly atLeast: number } | { readonly atMost: number };
}

/** What a benchmark found. */
export interface Findings {
  readonly figures: readonly Figure[];
  /** Sentences on how it was measured, or why something was not. */
  readonly notes: readonly string[];
}

/** A benchmark's findings with everything that is needed to read them. */
export interface Report extends Findings {
  readonly benchmark: string;
  readonly machine: Machine;
  readonly rounds: number;
  readonly limit: number | null;
  readonly seconds: number;
}

function digits(value: number): string {
  return value.toFixed(Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 3);
}

function verdict({ median, aim }: Figure): string {
  if (!aim) return "";
  const [said, met] =
    "atLeast" in aim ? [`>= ${aim.atLeast}`, median >= aim.atLeast] : [`<= ${aim.atMost}`, median <= aim.atMost];
  return `${said} ${met ? "met" : "MISSED"}`;
}

/** A report as a person reads it. */
export function reportText(report: Report): string {
  const { benchmark, machine, rounds, limit, seconds, figures, notes } = report;
  const { cpu, cores, memoryGiB, system, node, onnxruntime, autoPrecision, loadBefore } = machine;
  const table = new Table({
    head: ["measured", "median", "least", "most", "unit", "aim"],
    colAligns: ["left", "right", "right", "right", "left", "left"],
    style: { head: [], border: [], compact: true },
  });
  for (const figure of figures) {
    const { name, unit, median, least, most } = figure;
    table.push([name, digits(median), digits(least), digits(most), unit, verdict(figure)]);
  }
  return [
    `${benchmark}: ${rounds} rounds${limit === null ? "" : `, at most ${limit} items (a first look, no measurement)`}, ${seconds.toFixed(0)} s`,
    `${cpu}, ${cores} cores, ${memoryGiB} GiB, ${system}, Node ${node}, onnxruntime-node ${onnxruntime}, auto is ${autoPrecision}, load before ${loadBefore}`,
    table.toString(),
    ...notes,
    "",
  ].join("\n");
}
