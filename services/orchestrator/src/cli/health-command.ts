import { type Command, InvalidArgumentError } from "commander";
import { exitCodes } from "./exit-codes.js";

interface HealthFlags {
  readonly service?: string;
  readonly timeoutMs: number;
}

function parseMilliseconds(value: string): number {
  const milliseconds = Number(value);
  if (!Number.isInteger(milliseconds) || milliseconds < 1)
    throw new InvalidArgumentError("Give a whole number of milliseconds from 1.");
  return milliseconds;
}

/** Prints what a service says of its health and returns the exit code: 0 when it serves. */
async function health(address: string, { service, timeoutMs }: HealthFlags): Promise<number> {
  // Loaded only now, so that help and wrong usage answer at once.
  const { checkHealth } = await import("../core/check-health.js");
  try {
    const status = await checkHealth(address, { timeoutMs, ...(service === undefined ? {} : { service }) });
    process.stdout.write(`${status}\n`);
    return status === "SERVING" ? exitCodes.done : exitCodes.failed;
  } catch (error) {
    process.stderr.write(`ragline: ${(error as Error).message}\n`);
    return exitCodes.failed;
  }
}

/** Adds `ragline health <address>`. */
export function addHealthCommand(program: Command): void {
  program
    .command("health")
    .description("Ask a running service whether it serves; exit 0 when it does, for health checks of containers.")
    .argument("<address>", "host:port or unix:/path of the service.")
    .option("--service <name>", "Full name of one gRPC service, such as ragline.v1.DenseService; all by default.")
    .option("--timeout-ms <n>", "How long the answer may take, in milliseconds.", parseMilliseconds, 3000)
    .action(async (address: string, flags: HealthFlags) => {
      process.exitCode = await health(address, flags);
    });
}
