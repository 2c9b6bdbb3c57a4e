import { Command, CommanderError } from "commander";
import { exitCodes } from "./cli/exit-codes.js";
import { version } from "./version.js";

// A reader that has seen enough, such as head, closes the pipe: that is no failure of ours.
for (const stream of [process.stdout, process.stderr]) {
  stream.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code === "EPIPE") process.exit(exitCodes.done);
    throw error;
  });
}

// Only the command that is asked for is loaded: a container asks for its health every few seconds.
const commands: Readonly<Record<string, () => Promise<(program: Command) => void>>> = {
  run: async () => (await import("./cli/run-command.js")).addRunCommand,
  chunk: async () => (await import("./cli/chunk-command.js")).addChunkCommand,
  search: async () => (await import("./cli/search-command.js")).addSearchCommand,
  eval: async () => (await import("./cli/eval-command.js")).addEvalCommand,
  compare: async () => (await import("./cli/compare-command.js")).addCompareCommand,
  serve: async () => (await import("./cli/serve-command.js")).addServeCommand,
  "lease-broker": async () => (await import("./cli/lease-broker-command.js")).addLeaseBrokerCommand,
  health: async () => (await import("./cli/health-command.js")).addHealthCommand,
  models: async () => (await import("./cli/models-command.js")).addModelsCommand,
  trace: async () => (await import("./cli/trace-command.js")).addTraceCommand,
  config: async () => (await import("./cli/config-command.js")).addConfigCommand,
  upload: async () => (await import("./cli/upload-command.js")).addUploadCommand,
  verify: async () => (await import("./cli/verify-command.js")).addVerifyCommand,
};

const program = new Command("ragline")
  .description(
    "Documents in, retrieval artifacts out: chunks, dense and sparse vectors, fused and reranked candidates, exports.",
  )
  .version(version)
  .enablePositionalOptions()
  .exitOverride()
  .configureHelp({ showGlobalOptions: false });

const asked = Object.entries(commands).filter(([name]) => name === process.argv[2]);
for (const [, load] of asked.length > 0 ? asked : Object.entries(commands)) (await load())(program);

try {
  await program.parseAsync();
} catch (error) {
  if (!(error instanceof CommanderError)) throw error;
  // Commander has said what was wrong; help and version were asked for.
  process.exitCode = error.exitCode === 0 ? exitCodes.done : exitCodes.wrongUsage;
}
