import { ArtifactError } from "@ragline/artifacts";
import { ConfigError } from "@ragline/config";
import { DocumentError } from "@ragline/documents";
import { DatasetError, QueryFileError } from "@ragline/evaluation";
import { FusionWeightError } from "@ragline/fusion";
import { ModelFileError, ModelLockError, UnknownModelError } from "@ragline/models";
import { FilterError, NonFiniteScoreError } from "@ragline/retrieval";
import { RaglineError } from "@ragline/rpc";

/** What the caller has to change: usage, a path, a model's name. */
export function usageError(reason: string, message: string, cause?: unknown): RaglineError {
  return new RaglineError("INVALID_ARGUMENT", reason, message, cause === undefined ? {} : { cause });
}

/** Errors of the libraries as what they are to the caller; anything unknown is passed on as it is. */
export function toRunError(error: unknown): unknown {
  if (error instanceof ConfigError) return usageError("BAD_SETTING", error.message, error);
  if (error instanceof FusionWeightError) return usageError("BAD_WEIGHTS", `--fusion-weights: ${error.message}`, error);
  if (error instanceof FilterError) return usageError("BAD_FILTER", error.message, error);
  if (error instanceof UnknownModelError) return usageError("UNKNOWN_MODEL", error.message, error);
  if (error instanceof ModelFileError || error instanceof ModelLockError)
    return new RaglineError("FAILED_PRECONDITION", "MODEL_FILES", error.message, { cause: error });
  if (error instanceof DocumentError || error instanceof QueryFileError || error instanceof DatasetError)
    return usageError("BAD_INPUT", error.message, error);
  if (error instanceof NonFiniteScoreError)
    return new RaglineError("INTERNAL", "NON_FINITE_SCORE", error.message, { cause: error });
  if (error instanceof ArtifactError) {
    return error.reason === "DISK_FULL"
      ? new RaglineError("RESOURCE_EXHAUSTED", "DISK_FULL", error.message, { cause: error })
      : usageError("BAD_FILE", error.message, error);
  }
  if (isDiskFull(error)) {
    return new RaglineError(
      "RESOURCE_EXHAUSTED",
      "DISK_FULL",
      "the disk is full; free some space or choose another --output-dir, then run again: nothing was written",
      { cause: error },
    );
  }
  return error;
}

function isDiskFull(error: unknown): boolean {
  return error instanceof Error && "code" in error && (error.code === "ENOSPC" || error.code === "EDQUOT");
}
