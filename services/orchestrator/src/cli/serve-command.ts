import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { Argument, type Command } from "commander";
import { stageEntry } from "../stages/stage-entry.js";
import { exitCodes } from "./exit-codes.js";

const services = ["dense", "sparse", "rerank", "export", "orchestrator"] as const;

/** Runs a service in a process of its own, whose logs, signals and exit code are those of this one. */
async function serve(service: (typeof services)[number], args: readonly string[]): Promise<number> {
  const child = spawn(process.execPath, [fileURLToPath(stageEntry(service)), ...args], {
    stdio: ["ignore", "inherit", "inherit", "ipc"],
  });
  for (const name of ["SIGINT", "SIGTERM", "SIGHUP"] as const)
    process.on(name, () => child.kill(name === "SIGHUP" ? "SIGTERM" : name));
  const [code] = (await once(child, "exit")) as [number | null];
  return code ?? exitCodes.failed;
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
    .action(async (service: (typeof services)[number], flags: string[]) => {
      process.exitCode = await serve(service, flags);
    });
}
