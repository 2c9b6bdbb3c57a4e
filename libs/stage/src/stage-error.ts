import { InferenceError, type InferenceFailure } from "@ragline/inference";
import { ModelFileError, ModelLockError, UnknownModelError } from "@ragline/models";
import { RaglineError, type StatusName } from "@ragline/rpc";
import { TokenizerError } from "@ragline/tokenizer";

const statusOf: Record<InferenceFailure, StatusName> = {
  model_refused: "FAILED_PRECONDITION",
  execution_failed: "INTERNAL",
  out_of_memory: "RESOURCE_EXHAUSTED",
  worker_lost: "UNAVAILABLE",
  closed: "CANCELLED",
};

/** What a failure of the model side is to the caller of a stage; anything unknown is passed on as it is. */
export function toStageError(error: unknown): unknown {
  if (error instanceof InferenceError) {
    return new RaglineError(statusOf[error.failure], error.failure.toUpperCase(), error.message, { cause: error });
  }
  if (error instanceof TokenizerError)
    return new RaglineError("FAILED_PRECONDITION", "MODEL_REFUSED", error.message, { cause: error });
  if (error instanceof UnknownModelError)
    return new RaglineError("NOT_FOUND", "UNKNOWN_MODEL", error.message, { cause: error });
  if (error instanceof ModelFileError || error instanceof ModelLockError)
    return new RaglineError("FAILED_PRECONDITION", "MODEL_FILES", error.message, { cause: error });
  return error;
}
