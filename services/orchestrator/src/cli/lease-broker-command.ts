import { fileURLToPath } from "node:url";
import type { Command } from "commander";

/** Becomes the lease broker: one process, whose signals and exit code are the service's own. */
async function serveLeases(args: readonly string[]): Promise<void> {
  const entry = new URL("../lease-broker-main.js", import.meta.url);
  process.argv = [process.execPath, fileURLToPath(entry), ...args];
  await import(entry.href);
}

/** Adds `ragline lease-broker`. */
export function addLeaseBrokerCommand(program: Command): void {
  program
    .command("lease-broker")
    .description(
      "Grant the devices of this host to several runs, such as: ragline lease-broker --listen 127.0.0.1:50060 --device cuda. Its own flags: ragline lease-broker --help",
    )
    .argument("[flags...]", "Flags of the broker.")
    .allowUnknownOption()
    .helpOption(false)
    .passThroughOptions()
    .action(serveLeases);
}
