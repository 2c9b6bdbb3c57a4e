import type { Command } from "commander";
import type { ChunkFlags } from "./chunk-action.js";
import { chunkSettings } from "./chunk-settings.js";
import { addSettings } from "./setting-options.js";

/** Adds `ragline chunk`. */
export function addChunkCommand(program: Command): void {
  const command = program
    .command("chunk")
    .description("Cut documents into chunk files for run --chunked-dir, and account for every byte.")
    .option("--incremental", "Chunk only documents whose bytes changed, and all when the settings did.")
    .option("--json", "Print what was done as one JSON object; everything else goes to stderr.");
  addSettings(command, chunkSettings).action(async (flags: ChunkFlags) => {
    const { chunkAction } = await import("./chunk-action.js");
    process.exitCode = await chunkAction(flags, command);
  });
}
