import type { DescService } from "@bufbuild/protobuf";
import { ConfigError, type SettingDefinitions, settingFlags } from "@ragline/config";
import { RaglineError, status } from "@ragline/rpc";
import { commonSettings, withVariables } from "./common-settings.js";
import { type RunningService, type ServiceOptions, startService } from "./start-service.js";

/** What a service tells the process that started it, over the IPC channel. */
export interface ReadyMessage {
  readonly type: "ready";
  readonly address: string;
}

/**
 * Set for a service that has a parent. The IPC channel alone does not tell: it is gone by the time that the modules are
 * loaded if the parent dies meanwhile.
 */
export const spawnedVariable = "RAGLINE_SPAWNED";

const exitCode = { wrongUsage: 2, failed: 1, interrupted: 130 } as const;

// How long a service that failed may take to send its last spans.
const flushMs = 2000;

// How long a service may live on after its parent.
const orphanMs = 4000;

function usage(name: string, settings: SettingDefinitions): string {
  const definitions = withVariables<SettingDefinitions>(name, { ...commonSettings, ...settings });
  const lines = Object.entries(definitions).map(([key, definition]) => {
    const { on, off } = settingFlags(key, definition);
    const flag = off === undefined ? `${on} <${definition.type}>` : `${on} | ${off}`;
    const fallback = JSON.stringify(definition.default);
    return `  ${flag}\n      ${definition.description} ${definition.env}; default ${fallback}.`;
  });
  return `ragline ${name} service\n\n${lines.join("\n")}\n`;
}

/** Drains on the first SIGTERM, SIGINT or SIGHUP (a closed terminal) and exits 0; the second exits 130 at once. */
function stopOnSignals(running: RunningService): void {
  let stopping = false;
  const onSignal = (signal: NodeJS.Signals) => {
    if (stopping) process.exit(exitCode.interrupted);
    stopping = true;
    running.log.info({ signal }, "asked to stop");
    running.drain().then(
      () => process.exit(0),
      (error: unknown) => {
        running.log.error({ err: error }, "could not stop cleanly");
        process.exit(exitCode.failed);
      },
    );
  };
  process.on("SIGTERM", onSignal).on("SIGINT", onSignal).on("SIGHUP", onSignal);
}

/** Tells the parent where this service listens, and stops when the parent is gone, even by `kill -9`. */
function followParent(running: RunningService): void {
  const stop = (): void => {
    running.log.warn("the process that started this service is gone, stopping");
    const exit = () => process.exit(exitCode.failed);
    setTimeout(exit, orphanMs);
    running.drain(0).then(exit, exit);
  };
  if (!process.connected) {
    stop();
    return;
  }
  process.on("disconnect", stop);
  const ready: ReadyMessage = { type: "ready", address: running.address };
  // A parent that dies just now closes the channel under this message; the event above tells the rest.
  process.send?.(ready, () => undefined);
}

/**
 * Runs a service as this process, from `process.argv` and `process.env`: the body of every `services/<name>/src/main.ts`.
 *
 * Started with an IPC channel (see `spawnService`) it sends its address over it and lives no longer than its parent;
 * otherwise the address is in one log line. SIGTERM or SIGINT drains and exits 0, a second signal exits 130 at once.
 * What stops the start is one sentence on stderr: exit code 2 for wrong usage, 1 for the rest.
 * @returns the service once it runs; undefined where only help was asked for.
 */
export async function runService<S extends DescService, const D extends SettingDefinitions = Record<never, never>>(
  options: ServiceOptions<S, D>,
): Promise<RunningService | undefined> {
  const hasParent = process.connected || process.env[spawnedVariable] !== undefined;
  // Not for the processes that this one starts.
  delete process.env[spawnedVariable];
  const args = process.argv.slice(2);
  if (args.includes("--help")) {
    process.stdout.write(usage(options.name, options.settings ?? {}));
    return undefined;
  }
  try {
    const running = await startService(options, { args, env: process.env });
    process.on("uncaughtException", (error) => {
      running.log.fatal({ err: error }, "unexpected error, stopping");
      const exit = () => process.exit(exitCode.failed);
      setTimeout(exit, flushMs);
      running.flushTraces().then(exit, exit);
    });
    stopOnSignals(running);
    running.log.info({ address: running.address, metrics: running.metricsAddress }, "ready");
    if (hasParent) followParent(running);
    return running;
  } catch (error) {
    const usageError =
      error instanceof ConfigError || (error instanceof RaglineError && error.code === status.INVALID_ARGUMENT);
    const known = usageError || error instanceof RaglineError;
    const said = known || !(error instanceof Error) ? String((error as Error).message ?? error) : error.stack;
    process.stderr.write(`ragline ${options.name}: ${said}\n`);
    process.exit(usageError ? exitCode.wrongUsage : exitCode.failed);
  }
}
