import type { Command } from "commander";
import type { VerifyFlags } from "./verify-action.js";

/** Adds `ragline verify`. */
export function addVerifyCommand(program: Command): void {
  program
    .command("verify")
    .description(
      "Check the files of a run against its manifest and against each other; exit 1 when something is wrong.",
    )
    .requiredOption("--run <dir>", "Output directory of the run.")
    .option("--summary-path <file>", "The run's manifest, where it is not in its directory.")
    .option("--baseline <dir>", "Another run whose dense files must be the same, byte for byte.")
    .option("--input <paths...>", "Where the run's documents are, when they are not where the run found them.")
    .option("--json", "Print what was found as one JSON object.")
    .action(async (flags: VerifyFlags) => {
      const { verifyAction } = await import("./verify-action.js");
      process.exitCode = await verifyAction(flags);
    });
}
