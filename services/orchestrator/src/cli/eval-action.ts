import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { openDataset, parseMetric, writeTrecRun } from "@ragline/evaluation";
import { makeDirectories } from "@ragline/files";
import { readModels, useModels } from "@ragline/models";
import type { Command } from "commander";
import { evaluateDataset } from "../core/eval/evaluate-dataset.js";
import type { EvaluationReport, ModeScores } from "../core/eval/evaluation-report.js";
import { toRunError, usageError } from "../core/usage-error.js";
import { version } from "../version.js";
import { describeFailure } from "./describe-failure.js";
import { evaluationText } from "./evaluation-text.js";
import { exitCodes } from "./exit-codes.js";
import { interruption } from "./interruption.js";
import { PullDisplay } from "./pull-display.js";
import { resolveRunSettings } from "./resolve-run-settings.js";
import { type CliTelemetry, startCliTelemetry } from "./start-cli-telemetry.js";

/** The flags of `ragline eval` beside the settings of a run. */
export interface EvalFlags {
  readonly dataset: string;
  readonly split?: string;
  readonly run?: string;
  readonly cacheDir?: string;
  readonly trecRun?: string[];
  readonly trecDir?: string;
  readonly compare?: string[];
  readonly metrics?: string[];
  readonly relevanceLevel: number;
  readonly depth: number;
  readonly seed: number;
  readonly report?: string;
  readonly json?: boolean;
}

/** Evaluates as the command line asks, prints what was found, and returns the exit code. */
export async function evalAction(command: Command, flags: EvalFlags): Promise<number> {
  const { signal, interrupted } = interruption();
  const onProgress = (sentence: string): void => void process.stderr.write(`${sentence}\n`);
  let telemetry: CliTelemetry | undefined;
  try {
    const { values, provenance } = resolveRunSettings(command, ["report"]);
    useModels(readModels(values.modelsFile));
    telemetry = await startCliTelemetry(values, (message) => onProgress(`telemetry: ${message}`));
    const { compare } = flags;
    if (compare !== undefined && compare.length !== 2)
      throw usageError("BAD_COMPARE", `--compare takes two rankings, not ${compare.length}`);
    const metrics = metricsOf(flags);
    const display = new PullDisplay(process.stderr);
    const dataset = await openDataset(flags.dataset, flags.split === undefined ? {} : { split: flags.split });
    const { report, modes } = await evaluateDataset({
      dataset,
      settings: values,
      provenance,
      ...(flags.run === undefined ? {} : { run: flags.run }),
      ...(flags.cacheDir === undefined ? {} : { cacheDir: flags.cacheDir }),
      trecRuns: flags.trecRun ?? [],
      ...(compare === undefined ? {} : { compare: [compare[0] as string, compare[1] as string] as const }),
      ...(metrics === undefined ? {} : { metrics }),
      relevanceLevel: flags.relevanceLevel,
      depth: flags.depth,
      seed: flags.seed,
      signal,
      telemetry,
      storeEvents: display.events,
      onProgress,
    }).finally(() => display.end());
    if (flags.trecDir !== undefined) await writeTrecFiles(flags.trecDir, dataset.judgements, modes);
    if (flags.report !== undefined) onProgress(`report: ${await drawEvaluation(flags.report, report)}`);
    process.stdout.write(
      flags.json ? `${JSON.stringify(report, undefined, 2)}\n` : `${evaluationText(report, compare !== undefined)}\n`,
    );
    return exitCodes.done;
  } catch (error) {
    if (interrupted()) return exitCodes.interrupted;
    const { code, message, reason } = describeFailure(toRunError(error));
    if (flags.json) process.stdout.write(`${JSON.stringify({ error: { reason, message } }, undefined, 2)}\n`);
    process.stderr.write(`ragline: ${message}\n`);
    return code;
  } finally {
    await telemetry?.close();
  }
}

/** The metrics that were asked for, separated by spaces or commas. */
function metricsOf({ metrics }: EvalFlags): string[] | undefined {
  const names = metrics?.flatMap((one) => one.split(",")).filter((name) => name.trim() !== "");
  try {
    return names?.map((name) => parseMetric(name).name);
  } catch (error) {
    throw usageError("BAD_METRIC", (error as RangeError).message, error);
  }
}

async function drawEvaluation(path: string, report: EvaluationReport): Promise<string> {
  // Loaded late: an evaluation that draws nothing starts without it.
  const { writeEvaluationReport } = await import("@ragline/report");
  try {
    return await writeEvaluationReport(path, report, version);
  } catch (error) {
    throw usageError("BAD_REPORT", `the page cannot be written to ${path}: ${(error as Error).message}`, error);
  }
}

async function writeTrecFiles(
  dir: string,
  judgements: ReadonlyMap<string, ReadonlyMap<string, number>>,
  modes: readonly ModeScores[],
): Promise<void> {
  await makeDirectories(dir);
  for (const { name, scores } of modes) {
    const fileName = name.replace(/[^\w.#-]+/gu, "_");
    await writeTrecRun(join(dir, `${fileName}.run`), scores, name);
  }
  const lines = [...judgements].flatMap(([query, grades]) =>
    Array.from(grades, ([document, grade]) => `${query} 0 ${document} ${grade}\n`),
  );
  await writeFile(join(dir, "qrels.txt"), lines.join(""));
}
