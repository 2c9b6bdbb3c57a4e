import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { type BenchOptions, BenchUsageError, parseBenchOptions } from "./bench-options.js";
import { describeMachine } from "./machine.js";
import { type Findings, reportText } from "./report.js";

/** What a benchmark is given. */
export interface BenchContext extends Pick<BenchOptions, "rounds" | "limit" | "whole"> {
  /** Folder with the data sets. */
  readonly dataDir: string;
  /** An empty folder that is removed afterwards. */
  readonly folder: string;
  /** Tells a person how far it is. */
  readonly say: (line: string) => void;
}

/** A benchmark. */
export interface Benchmark {
  readonly name: string;
  /** How often everything is measured unless the command line says otherwise. */
  readonly defaultRounds: number;
  /** What it reads below the data folder; it is skipped where this is absent. @default nothing */
  readonly needs?: string;
  measure(context: BenchContext): Promise<Findings>;
}

/** Absolute path of something below the repository's root, which is where benchmarks are started. */
export function fromRoot(path: string): string {
  return resolve(path);
}

async function measure(benchmark: Benchmark, options: BenchOptions): Promise<void> {
  const { rounds, limit, whole, json } = options;
  const say = (line: string): void => void process.stderr.write(`${line}\n`);
  const dataDir = resolve(process.env.RAGLINE_DATA ?? "../shared/data");
  if (!existsSync(fromRoot("services/orchestrator/dist/cli.js"))) {
    throw new BenchUsageError('nothing is built here; run "npm run build" and this command in the repository\'s root');
  }
  if (benchmark.needs !== undefined && !existsSync(join(dataDir, benchmark.needs))) {
    say(
      `${benchmark.name} is skipped: there is no ${join(dataDir, benchmark.needs)}; set RAGLINE_DATA to the data folder`,
    );
    return;
  }
  const machine = describeMachine();
  const folder = await mkdtemp(join(tmpdir(), "ragline-bench-"));
  const startedAt = performance.now();
  try {
    const findings = await benchmark.measure({ rounds, limit, whole, dataDir, folder, say });
    const seconds = (performance.now() - startedAt) / 1000;
    const report = { benchmark: benchmark.name, machine, rounds, limit: limit ?? null, seconds, ...findings };
    say("");
    (json ? process.stderr : process.stdout).write(`${reportText(report)}\n`);
    if (json) process.stdout.write(`${JSON.stringify(report)}\n`);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Runs a benchmark as this process: the body of every script of this folder. Exit code 2 is wrong usage, 1 a failure. */
export async function runBenchmark(benchmark: Benchmark): Promise<void> {
  try {
    await measure(benchmark, parseBenchOptions(process.argv.slice(2), benchmark.defaultRounds));
  } catch (error) {
    const isUsage = error instanceof BenchUsageError;
    const said = error instanceof Error && !isUsage ? (error.stack ?? error.message) : String((error as Error).message);
    process.stderr.write(`${benchmark.name}: ${said}\n`);
    process.exitCode = isUsage ? 2 : 1;
  }
}
