import { type Command, Option } from "commander";
import { runSettings } from "../run-settings.js";
import { addSettings } from "./setting-options.js";

/** Adds `ragline config`. */
export function addConfigCommand(program: Command): void {
  const command = program
    .command("config")
    .description("Print the settings that a run would have, and where each value comes from; takes the flags of run.")
    .addOption(new Option("--json", "Print them as one JSON object.").conflicts(["schema", "envExample"]))
    .addOption(new Option("--schema", "Print the JSON Schema of config/embedder.json.").conflicts("envExample"))
    .addOption(new Option("--env-example", "Print an example .env file."));
  addSettings(command, runSettings).action(async () => {
    const { configAction } = await import("./config-action.js");
    process.exitCode = configAction(command);
  });
}
