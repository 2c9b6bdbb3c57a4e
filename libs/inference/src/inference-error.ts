/** Why a computation did not give a result. */
export type InferenceFailure = "model_refused" | "execution_failed" | "out_of_memory" | "worker_lost" | "closed";

/** A computation that failed; the message names the model and the cause. */
export class InferenceError extends Error {
  override readonly name = "InferenceError";
  readonly failure: InferenceFailure;

  constructor(failure: InferenceFailure, message: string, options?: ErrorOptions) {
    super(message, options);
    this.failure = failure;
  }
}
