import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { text } from "node:stream/consumers";
import { fromRoot } from "./run-benchmark.js";

/** What the benchmarks read of the summary that `ragline run --json` prints. */
export interface RunSummary {
  readonly seconds: number;
  readonly collections: readonly {
    readonly stages: readonly {
      readonly stage: string;
      readonly model: string;
      readonly items: number;
      readonly seconds: number;
    }[];
  }[];
}

/** A command of `ragline` in a process of its own. */
export interface RaglineRun {
  readonly child: ChildProcess;
  /** Settles when the process has ended and all of its output was read. */
  readonly ended: Promise<{
    readonly code: number | null;
    readonly stdout: string;
    readonly lastLines: readonly string[];
    /** From the start of the process to its end. */
    readonly seconds: number;
  }>;
}

const keptLines = 10;

/** Starts `ragline run --json` as a user would; see {@link startRagline}. */
export function startRun(args: readonly string[], onLine?: (line: string) => void): RaglineRun {
  return startRagline("run", args, onLine);
}

/**
 * Starts a command of `ragline` with `--json` as a user would.
 * @param onLine told of each line of progress.
 */
export function startRagline(
  command: "run" | "chunk",
  args: readonly string[],
  onLine: (line: string) => void = () => undefined,
): RaglineRun {
  const startedAt = performance.now();
  const cli = fromRoot("services/orchestrator/bin/ragline.mjs");
  const child = spawn(process.execPath, [cli, command, ...args, "--json"], { stdio: ["ignore", "pipe", "pipe"] });
  const lastLines: string[] = [];
  createInterface({ input: child.stderr }).on("line", (line) => {
    lastLines.push(line);
    if (lastLines.length > keptLines) lastLines.shift();
    onLine(line);
  });
  const closed = new Promise<number | null>((resolve, reject) => child.once("error", reject).once("close", resolve));
  const ended = Promise.all([closed, text(child.stdout)]).then(([code, stdout]) => ({
    code,
    stdout,
    lastLines,
    seconds: (performance.now() - startedAt) / 1000,
  }));
  return { child, ended };
}

/**
 * Waits for a run's end.
 * @throws Error with the run's last lines when its exit code is not 0.
 */
export async function finishRun(run: RaglineRun): Promise<{ summary: RunSummary; wallSeconds: number }> {
  const { code, stdout, lastLines, seconds } = await run.ended;
  if (code !== 0) throw new Error(`ragline run ended with code ${code}; it said last:\n${lastLines.join("\n")}`);
  return { summary: JSON.parse(stdout) as RunSummary, wallSeconds: seconds };
}
