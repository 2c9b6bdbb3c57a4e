import { InferenceError, type InferenceFailure } from "@ragline/inference";
import { ModelFileError, UnknownModelError } from "@ragline/models";
import { RaglineError, status } from "@ragline/rpc";
import { TokenizerError } from "@ragline/tokenizer";
import { expect, test } from "vitest";
import { toStageError } from "./stage-error.js";

const inference = (failure: InferenceFailure) => new InferenceError(failure, `it ${failure}`);

test.each([
  [inference("model_refused"), status.FAILED_PRECONDITION, "MODEL_REFUSED"],
  [new TokenizerError("an odd tokenizer"), status.FAILED_PRECONDITION, "MODEL_REFUSED"],
  [inference("execution_failed"), status.INTERNAL, "EXECUTION_FAILED"],
  [inference("out_of_memory"), status.RESOURCE_EXHAUSTED, "OUT_OF_MEMORY"],
  [inference("worker_lost"), status.UNAVAILABLE, "WORKER_LOST"],
  [inference("closed"), status.CANCELLED, "CLOSED"],
  [new UnknownModelError("no such model"), status.NOT_FOUND, "UNKNOWN_MODEL"],
  [new ModelFileError("a damaged file"), status.FAILED_PRECONDITION, "MODEL_FILES"],
])("%s is code %i with the reason %s and keeps its sentence", (cause, code, reason) => {
  expect(toStageError(cause)).toMatchObject({ code, reason, message: cause.message, cause });
  expect(toStageError(cause)).toBeInstanceOf(RaglineError);
});

test.each([new RaglineError("ABORTED", "LEASE_REVOKED", "known"), new TypeError("unknown")])(
  "%s is passed on as it is",
  (error) => {
    expect(toStageError(error)).toBe(error);
  },
);
