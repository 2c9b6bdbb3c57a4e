import { type Command, Option } from "commander";
import { runSettings } from "../run-settings.js";
import { addSettings } from "./setting-options.js";

/** Adds `ragline run`. */
export function addRunCommand(program: Command): void {
  const command = program
    .command("run")
    .description("Turn documents or chunk files into vectors, rankings and exports.")
    .addOption(
      new Option("--orchestrator <host:port>", "Run on an orchestrator elsewhere; paths are those of its host.").env(
        "RAGLINE_ORCHESTRATOR",
      ),
    )
    .option("--json", "Print the summary as one JSON object; everything else goes to stderr.")
    .addOption(
      new Option("--log-level <level>", "Least severe log lines of the stages to show.")
        .choices(["trace", "debug", "info", "warn", "error", "silent"])
        .default("warn"),
    )
    .addOption(
      new Option("--log-format <name>", "pretty shows the run to a person; json writes JSON lines to stderr instead.")
        .choices(["pretty", "json"])
        .default("pretty"),
    );
  addSettings(command, runSettings).action(async () => {
    // Loaded only now, so that help and wrong usage answer at once.
    const { runAction } = await import("./run-action.js");
    process.exitCode = await runAction(command);
  });
}
