import { compareRuns, significantlyWorse } from "../core/compare/compare-runs.js";
import { toRunError } from "../core/usage-error.js";
import { compareText } from "./compare-text.js";
import { describeFailure } from "./describe-failure.js";
import { exitCodes } from "./exit-codes.js";

/** The flags of `ragline compare`. */
export interface CompareFlags {
  readonly failOn?: "worse";
  readonly json?: boolean;
}

/** Compares as the command line asks, prints what differs, and returns the exit code. */
export async function compareAction(a: string, b: string, flags: CompareFlags): Promise<number> {
  try {
    const comparison = await compareRuns(a, b);
    const text = flags.json ? JSON.stringify(comparison, undefined, 2) : compareText(comparison);
    process.stdout.write(`${text}\n`);
    const isWorse = flags.failOn === "worse" && significantlyWorse(comparison).length > 0;
    return isWorse ? exitCodes.degraded : exitCodes.done;
  } catch (error) {
    const { code, message, reason } = describeFailure(toRunError(error));
    if (flags.json) process.stdout.write(`${JSON.stringify({ error: { reason, message } }, undefined, 2)}\n`);
    process.stderr.write(`ragline: ${message}\n`);
    return code;
  }
}
