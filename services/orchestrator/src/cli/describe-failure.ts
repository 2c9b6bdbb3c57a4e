import { ConfigError } from "@ragline/config";
import { RaglineError } from "@ragline/rpc";
import { toRunError } from "../core/usage-error.js";
import { exitCodes } from "./exit-codes.js";

const usageCodes = new Set(["INVALID_ARGUMENT", "NOT_FOUND"]);

/** The exit code and the sentence for a failure. */
export function describeFailure(error: unknown): { code: number; message: string; reason: string } {
  const known = error instanceof ConfigError ? toRunError(error) : error;
  if (known instanceof RaglineError) {
    const code = usageCodes.has(known.codeName) ? exitCodes.wrongUsage : exitCodes.failed;
    return { code, message: known.message, reason: known.reason };
  }
  const message = known instanceof Error ? (known.stack ?? known.message) : String(known);
  return { code: exitCodes.failed, message: `unexpected error, please report it: ${message}`, reason: "UNEXPECTED" };
}
