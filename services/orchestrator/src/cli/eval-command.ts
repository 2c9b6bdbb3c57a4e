import { leaseSettings } from "@ragline/gpu-lease";
import { type Command, InvalidArgumentError, Option } from "commander";
import { rankingKeys, runSettings } from "../run-settings.js";
import { traceSettings } from "../trace-settings.js";
import type { EvalFlags } from "./eval-action.js";
import { addSettings } from "./setting-options.js";

/** The settings of a run that an evaluation takes: models and ranking. */
const offered = [
  "ensembleModels",
  "enableSparse",
  "sparseModels",
  "enableRerank",
  ...rankingKeys,
  "precision",
  "workers",
  "endpoints",
] as const;

function wholeNumber(least: number): (value: string) => number {
  return (value) => {
    const number = Number(value);
    if (!Number.isSafeInteger(number) || number < least)
      throw new InvalidArgumentError(`Give a whole number of ${least} or more.`);
    return number;
  };
}

/** Adds `ragline eval`. */
export function addEvalCommand(program: Command): void {
  const command = program
    .command("eval")
    .description("Measure the rankings of a run on a test collection, as trec_eval does.")
    .requiredOption("--dataset <dir>", "Test collection: BEIR, SMART (Cranfield) or TREC layout.")
    .option("--split <name>", "Judgements of a BEIR data set; test, else dev, else train by default.")
    .option("--run <dir>", "Run of the data set's documents; without it they are embedded into a cache first.")
    .option("--cache-dir <dir>", "Where runs of data sets are kept; ragline/eval in the user's cache by default.")
    .option("--trec-run <files...>", "TREC run files to measure; alone, nothing is embedded.")
    .option("--trec-dir <dir>", "Write a TREC run file for each ranking, and qrels.txt, there.")
    .addOption(
      new Option(
        "--compare <names...>",
        "Two rankings to compare: names of the table, run directories (dir or dir#ranking) or TREC run files.",
      ),
    )
    .option("--metrics <names...>", "What to measure: nDCG@k, MRR@k, Recall@k, MAP, P@k, hit@k, judged@k.")
    .option("--relevance-level <n>", "Lowest grade that is relevant; nDCG uses all grades.", wholeNumber(1), 1)
    .option("--depth <n>", "Chunks in each model's list that are measured.", wholeNumber(1), 1000)
    .option("--seed <n>", "Seed of intervals and tests.", wholeNumber(0), 1)
    .option("--report <file>", "Write what was found as a page with plots there; it holds no text of a query.")
    .option("--json", "Print the report as one JSON object; everything else goes to stderr.");
  const settings = {
    ...Object.fromEntries(offered.map((key) => [key, runSettings[key]])),
    ...leaseSettings,
    ...traceSettings,
  };
  addSettings(command, settings).action(async (flags: EvalFlags) => {
    const { evalAction } = await import("./eval-action.js");
    process.exitCode = await evalAction(command, flags);
  });
}
