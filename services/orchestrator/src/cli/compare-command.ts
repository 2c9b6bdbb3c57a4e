import { type Command, Option } from "commander";
import type { CompareFlags } from "./compare-action.js";

/** Adds `ragline compare`. */
export function addCompareCommand(program: Command): void {
  program
    .command("compare")
    .description("Tell what changed from one run to another: settings, models, files, chunks, quality, speed, memory.")
    .argument("<run a>", "Output directory of a run, or its manifest.")
    .argument("<run b>", "The run to compare with it.")
    .addOption(
      new Option(
        "--fail-on <what>",
        "Exit with code 3 when a figure of run b is worse beyond chance (p < 0.05).",
      ).choices(["worse"]),
    )
    .option("--json", "Print what differs as one JSON object.")
    .action(async (a: string, b: string, flags: CompareFlags) => {
      const { compareAction } = await import("./compare-action.js");
      process.exitCode = await compareAction(a, b, flags);
    });
}
