import { type Command, InvalidArgumentError } from "commander";
import type { UploadFlags } from "./upload-action.js";

function parseBatchPoints(value: string): number {
  const count = Number(value);
  if (!Number.isInteger(count) || count < 1 || count > 10_000)
    throw new InvalidArgumentError("Give a whole number from 1 to 10000.");
  return count;
}

/** Adds `ragline upload`. */
export function addUploadCommand(program: Command): void {
  program
    .command("upload")
    .description("Bring a run's points into a Qdrant collection; the API key comes from QDRANT_API_KEY alone.")
    .requiredOption("--run <dir>", "Output directory of the run.")
    .option("--url <url>", "Qdrant server, over REST.", "http://127.0.0.1:6333")
    .option("--collection <name>", "Collection there; the run's name by default. It is made when there is none.")
    .option("--batch-points <n>", "Points in one request at most; 4 MiB end a batch as well.", parseBatchPoints, 256)
    .option("--recreate", "Delete a collection of that name first, with all of its points.")
    .option("--dry-run", "Read and check everything, send nothing, print what would be made.")
    .option("--json", "Print what was done as one JSON object; everything else goes to stderr.")
    .action(async (flags: UploadFlags) => {
      const { uploadAction } = await import("./upload-action.js");
      process.exitCode = await uploadAction(flags);
    });
}
