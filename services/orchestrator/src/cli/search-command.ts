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
    .description("Answer a query from the artifacts of a run, with the models that made them.")
    .argument("<query>", "What to look for.")
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
    .option("--top-k <n>", "Answers to give.", parseCount, 10)
    .option("--json", "Print the answers as one JSON object.")
    .option("--endpoints <names...>", "Running services to use, such as dense=host:port.");
  addSettings(command, searchSettings).action(async (query: string, flags: SearchFlags) => {
    const { searchAction } = await import("./search-action.js");
    process.exitCode = await searchAction(query, flags, command);
  });
}
