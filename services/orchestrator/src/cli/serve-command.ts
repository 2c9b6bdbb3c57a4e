import { fileURLToPath } from "node:url";
import { Argument, type Command } from "commander";
import { stageEntry } from "../stages/stage-entry.js";

const services = ["dense", "sparse", "rerank", "export", "orchestrator"] as const;

/** Becomes the service: one process, whose signals and exit code are the service's own. */
async function serve(service: (typeof services)[number], args: readonly string[]): Promise<void> {
  const entry = stageEntry(service);
  process.argv = [process.execPath, fileURLToPath(entry), ...args];
  await import(entry.href);
}

/** Adds `ragline serve <service>`. */
export function addServeCommand(program: Command): void {
  program
    .command("serve")
    .description(
      "Start one service, such as: ragline serve dense --listen 0.0.0.0:50051. Its own flags: ragline serve dense --help",
    )
    .addArgument(new Argument("<service>", "The service.").choices(services))
    .argument("[flags...]", "Flags of the service.")
    .allowUnknownOption()
    .helpOption(false)
    .passThroughOptions()
    .action(serve);
}
