import { type Command, InvalidArgumentError, Option } from "commander";
import type { SearchFlags } from "./search-action.js";
import { searchSettings } from "./search-settings.js";
import { addSettings } from "./setting-options.js";

function parseCount(value: string): number {
  const count = Number(value);
  if (!Number.isInteger(count) || count < 1 || count > 1000)
    throw new InvalidArgumentError("Give a whole number from 1 to 1000.");
  return count;
}

/** Adds `ragline search`. */
export function addSearchCommand(program: Command): void {
  const command = program
    .command("search")
    .description(
      "Answer a query from the artifacts of a run, with the models that made them, ranked as it was made unless set.",
    )
    .argument("[query]", "What to look for; without it a prompt asks, and keeps the models loaded.")
    .requiredOption("--run <dir>", "Output directory of the run.")
    .option("--summary-path <file>", "Manifest of the run, where it does not lie beside the artifacts.")
    .addOption(
      new Option("--mode <mode>", "What to look at; the most that the run has by default.").choices([
        "dense",
        "sparse",
        "hybrid",
        "rerank",
      ]),
    )
    .option("--top-k, --top <n>", "Answers to give.", parseCount, 10)
    .option(
      "--filter <conditions...>",
      "Only chunks whose payload fits: key=value, key=a|b, key!=value, key>=1, key~part.",
    )
    .option("--exact", "Compare every vector although the run has an HNSW graph.")
    .option("--json", "Print the answers as one JSON object.");
  addSettings(command, searchSettings).action(async (query: string | undefined, flags: SearchFlags) => {
    const { searchAction } = await import("./search-action.js");
    process.exitCode = await searchAction(query, flags, command);
  });
}
