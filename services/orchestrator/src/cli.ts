import { Command, CommanderError } from "commander";
import { addChunkCommand } from "./cli/chunk-command.js";
import { addConfigCommand } from "./cli/config-command.js";
import { addEvalCommand } from "./cli/eval-command.js";
import { exitCodes } from "./cli/exit-codes.js";
import { addHealthCommand } from "./cli/health-command.js";
import { addLeaseBrokerCommand } from "./cli/lease-broker-command.js";
import { addModelsCommand } from "./cli/models-command.js";
import { addRunCommand } from "./cli/run-command.js";
import { addSearchCommand } from "./cli/search-command.js";
import { addServeCommand } from "./cli/serve-command.js";
import { addTraceCommand } from "./cli/trace-command.js";
import { addUploadCommand } from "./cli/upload-command.js";
import { addVerifyCommand } from "./cli/verify-command.js";
import { version } from "./version.js";

// A reader that has seen enough, such as head, closes the pipe: that is no failure of ours.
for (const stream of [process.stdout, process.stderr]) {
  stream.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code === "EPIPE") process.exit(exitCodes.done);
    throw error;
  });
}

const program = new Command("ragline")
  .description(
    "Documents in, retrieval artifacts out: chunks, dense and sparse vectors, fused and reranked candidates, exports.",
  )
  .version(version)
  .enablePositionalOptions()
  .exitOverride()
  .configureHelp({ showGlobalOptions: false });
addRunCommand(program);
addChunkCommand(program);
addSearchCommand(program);
addEvalCommand(program);
addServeCommand(program);
addLeaseBrokerCommand(program);
addHealthCommand(program);
addConfigCommand(program);
addUploadCommand(program);
addVerifyCommand(program);
addModelsCommand(program);
addTraceCommand(program);

try {
  await program.parseAsync();
} catch (error) {
  if (!(error instanceof CommanderError)) throw error;
  // Commander has said what was wrong; help and version were asked for.
  process.exitCode = error.exitCode === 0 ? exitCodes.done : exitCodes.wrongUsage;
}
