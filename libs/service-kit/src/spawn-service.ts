import { type ChildProcess, fork } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { RaglineError } from "@ragline/rpc";
import { parseLogLine } from "./parse-log-line.js";
import { type ReadyMessage, spawnedVariable } from "./run-service.js";

/** How {@link spawnService} starts a service. */
export interface SpawnOptions {
  /** The module to run, whose body is `runService`; for one of the same package `new URL("../dist/main.js", import.meta.url)`. */
  readonly entry: URL;
  /** Short name such as "dense", for the sentences of errors. */
  readonly name: string;
  /** Flags. @default [] */
  readonly args?: readonly string[];
  /** The whole environment of the child. @default this process's */
  readonly env?: NodeJS.ProcessEnv;
  /** Flags of Node itself. @default [] */
  readonly execArgv?: readonly string[];
  /** How long it may take until it is ready, in milliseconds. @default 60000 */
  readonly readyTimeoutMs?: number;
  /** How long `stop` waits before it kills, in milliseconds. @default 5000 */
  readonly stopTimeoutMs?: number;
  /** Told of every line that the child writes to stderr. @default ignored */
  readonly onLine?: (line: string) => void;
  /** Gives up the start, or stops the running child, when it aborts. @default none */
  readonly signal?: AbortSignal;
}

/** How a service's process ended. */
export interface ServiceExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** The last 20 lines of its stderr. */
  readonly lastLines: readonly string[];
}

/** A service in a child process. */
export interface SpawnedService {
  readonly address: string;
  readonly pid: number;
  /** Settles when the process has ended, however it did; never rejects. */
  readonly exited: Promise<ServiceExit>;
  /** Asks it to drain (SIGTERM), then kills it and all that it started; resolves when it has ended. */
  stop(): Promise<ServiceExit>;
}

const keptLines = 20;

/** A sentence on how a service ended, such as "dense service (pid 17) was killed by SIGKILL". */
export function describeExit(name: string, pid: number, exit: ServiceExit): string {
  const how = exit.signal ? `was killed by ${exit.signal}` : `ended with exit code ${exit.code}`;
  const last = exit.lastLines.at(-1);
  return `${name} service (pid ${pid}) ${how}${last ? `; it said last: ${parseLogLine(last).text}` : ""}`;
}

/** Ends a process and everything in its group. Those that are gone already are no error. */
function killTree(pid: number): void {
  try {
    process.kill(-pid, "SIGKILL");
  } catch {
    // no such group any more
  }
}

function watchExit(child: ChildProcess, onLine: (line: string) => void): Promise<ServiceExit> {
  const lastLines: string[] = [];
  if (child.stderr) {
    createInterface({ input: child.stderr, crlfDelay: Number.POSITIVE_INFINITY }).on("line", (line) => {
      lastLines.push(line);
      if (lastLines.length > keptLines) lastLines.shift();
      onLine(line);
    });
  }
  return new Promise((resolve) => {
    child.once("error", (error) => resolve({ code: null, signal: null, lastLines: [error.message] }));
    child.once("exit", (code, signal) => {
      if (child.pid !== undefined) killTree(child.pid); // workers that outlived it, and hold its stderr open
      const done = () => resolve({ code, signal, lastLines });
      if (child.stderr?.closed !== false) done();
      else child.once("close", done);
    });
  });
}

/**
 * Starts a service as a child process and waits until it serves. The child has a process group of its own, so that
 * Ctrl-C reaches this process alone, and an IPC channel, through which it learns of this process's death.
 *
 * @throws RaglineError UNAVAILABLE SERVICE_NOT_STARTED with the child's own last words, and `signal` in its details if
 * one killed the child; or CANCELLED
 */
export async function spawnService(options: SpawnOptions): Promise<SpawnedService> {
  const { name, readyTimeoutMs = 60_000, stopTimeoutMs = 5000, signal } = options;
  const child = fork(fileURLToPath(options.entry), [...(options.args ?? [])], {
    env: { ...(options.env ?? process.env), [spawnedVariable]: "1" },
    execArgv: [...(options.execArgv ?? [])],
    detached: true,
    stdio: ["ignore", "ignore", "pipe", "ipc"],
  });
  const exited = watchExit(child, options.onLine ?? (() => {}));
  const kill = () => child.pid !== undefined && killTree(child.pid);

  const stop = async (): Promise<ServiceExit> => {
    child.kill("SIGTERM");
    const timer = setTimeout(kill, stopTimeoutMs);
    return exited.finally(() => clearTimeout(timer));
  };

  const notStarted = (why: string, killedBy?: NodeJS.Signals | null) =>
    new RaglineError("UNAVAILABLE", "SERVICE_NOT_STARTED", `the ${name} service did not start: ${why}`, {
      details: killedBy ? { signal: killedBy } : {},
    });
  const settled = new AbortController();
  const ready = new Promise<string>((resolve, reject) => {
    child.on("message", (message: ReadyMessage) => {
      if (message.type === "ready") resolve(message.address);
    });
    void exited.then((exit) => reject(notStarted(describeExit(name, child.pid ?? 0, exit), exit.signal)));
    const timer = setTimeout(() => reject(notStarted(`not ready within ${readyTimeoutMs} ms`)), readyTimeoutMs);
    settled.signal.addEventListener("abort", () => clearTimeout(timer));
    const onAbort = () =>
      reject(new RaglineError("CANCELLED", "CANCELLED", `the ${name} service's start was cancelled`));
    if (signal?.aborted) onAbort();
    signal?.addEventListener("abort", onAbort, { signal: settled.signal });
  });
  const address = await ready
    .catch((error: unknown) => {
      kill();
      throw error;
    })
    .finally(() => settled.abort());
  const onAbort = () => void stop();
  signal?.addEventListener("abort", onAbort, { once: true });
  void exited.then(() => signal?.removeEventListener("abort", onAbort));
  return { address, pid: child.pid as number, exited, stop };
}
