import { openRun } from "@ragline/artifacts";
import { RaglineError } from "@ragline/rpc";
import { UploadError, type UploadErrorReason, type UploadReport, uploadRun } from "@ragline/upload";
import { toRunError } from "../core/usage-error.js";
import { describeFailure } from "./describe-failure.js";
import { exitCodes } from "./exit-codes.js";
import { interruption } from "./interruption.js";
import { UploadDisplay } from "./upload-display.js";

/** The flags of `ragline upload`. */
export interface UploadFlags {
  readonly run: string;
  readonly url: string;
  readonly collection?: string;
  readonly batchPoints: number;
  readonly recreate?: boolean;
  readonly dryRun?: boolean;
  readonly json?: boolean;
}

const codeOf: Record<UploadErrorReason, ConstructorParameters<typeof RaglineError>[0]> = {
  INVALID_ARGUMENT: "INVALID_ARGUMENT",
  INVALID_RUN: "INVALID_ARGUMENT",
  COLLECTION_DIFFERS: "INVALID_ARGUMENT",
  UNAUTHORIZED: "INVALID_ARGUMENT",
  UNAVAILABLE: "UNAVAILABLE",
  REFUSED: "FAILED_PRECONDITION",
  COUNT_DIFFERS: "DATA_LOSS",
};

function toUploadError(error: unknown): unknown {
  if (!(error instanceof UploadError)) return toRunError(error);
  return new RaglineError(codeOf[error.reason], error.reason, error.message, { cause: error });
}

const countOf = (count: number, what: string): string => `${count} ${what}${count === 1 ? "" : "s"}`;
const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`;

function spaces({ schema }: UploadReport): string[] {
  return [
    ...Object.entries(schema.vectors).map(
      ([name, { size, distance }]) => `${name}  dense, ${size} numbers, ${distance}`,
    ),
    ...Object.entries(schema.sparse_vectors).map(
      ([name, { modifier }]) => `${name}  sparse${modifier ? `, modifier ${modifier}` : ""}`,
    ),
  ];
}

function reportText(report: UploadReport): string {
  const { url, collection, dryRun, created, points, bytes, batches, resumedAt, retries, seconds } = report;
  const warnings = report.warnings.map((warning) => `Warning: ${warning}`);
  const lines = spaces(report).map((space) => `  ${space}`);
  if (dryRun) {
    return [
      `Dry run: ${points} points (${megabytes(bytes)}) are sound and would go to the collection ${collection} at ${url} in ${countOf(batches, "request")}.`,
      "The collection would have, or is expected to have:",
      ...lines,
      ...warnings,
    ].join("\n");
  }
  const notes = [
    ...(resumedAt > 0 ? [`${resumedAt} were there from an upload that was interrupted`] : []),
    ...(retries > 0 ? [`${countOf(retries, "failed attempt")} made again`] : []),
  ];
  return [
    `The collection ${collection} at ${url} ${created ? "was made and " : ""}holds all ${points} points (${megabytes(bytes)}, ${countOf(batches, "request")}, ${seconds.toFixed(1)} s).`,
    ...notes.map((note) => `  ${note}`),
    ...lines,
    ...warnings,
  ].join("\n");
}

/** Uploads as the command line asks, prints what was done, and returns the exit code. */
export async function uploadAction(flags: UploadFlags): Promise<number> {
  const { json = false } = flags;
  const { signal, interrupted } = interruption();
  const display = new UploadDisplay(json ? process.stderr : process.stdout);
  const apiKey = process.env.QDRANT_API_KEY;
  try {
    const report = await uploadRun(await openRun(flags.run), {
      url: flags.url,
      maxBatchPoints: flags.batchPoints,
      recreate: flags.recreate ?? false,
      dryRun: flags.dryRun ?? false,
      ...(flags.collection === undefined ? {} : { collection: flags.collection }),
      ...(apiKey ? { apiKey } : {}),
      signal,
      onProgress: (progress) => display.show(progress),
      onRetry: ({ problem, retriesLeft }) =>
        display.note(`${problem}; trying again, ${retriesLeft} ${retriesLeft === 1 ? "retry" : "retries"} left`),
    });
    display.end();
    process.stdout.write(`${json ? JSON.stringify(report, undefined, 2) : reportText(report)}\n`);
    return exitCodes.done;
  } catch (error) {
    display.end();
    if (interrupted()) {
      process.stderr.write("ragline: stopped; the same command goes on where it stopped\n");
      return exitCodes.interrupted;
    }
    const { code, message, reason } = describeFailure(toUploadError(error));
    if (json) process.stdout.write(`${JSON.stringify({ error: { reason, message } }, undefined, 2)}\n`);
    process.stderr.write(`ragline: ${message}\n`);
    return code;
  }
}
