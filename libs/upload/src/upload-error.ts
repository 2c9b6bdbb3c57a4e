/** What kind of trouble an upload met; a command line maps it to its exit code. */
export type UploadErrorReason =
  /** The address, the key or the name of the collection cannot be used. */
  | "INVALID_ARGUMENT"
  /** The run's points are not what the run says. */
  | "INVALID_RUN"
  /** The server has a collection of that name with other vectors. */
  | "COLLECTION_DIFFERS"
  /** The server wants an API key, or another one. */
  | "UNAUTHORIZED"
  /** The server does not answer, or only with errors that may pass. */
  | "UNAVAILABLE"
  /** The server will not take what was sent. */
  | "REFUSED"
  /** The collection does not hold as many points as the run has chunks. */
  | "COUNT_DIFFERS";

/** An upload that failed. The message is a sentence: what, where, and what to do. It never holds the API key. */
export class UploadError extends Error {
  readonly reason: UploadErrorReason;

  constructor(reason: UploadErrorReason, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "UploadError";
    this.reason = reason;
  }
}
