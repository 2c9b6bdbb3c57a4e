export type DocumentErrorReason =
  | "missing"
  | "unsupported"
  | "unreadable"
  | "too_large"
  | "empty"
  | "binary"
  | "invalid_utf8"
  | "unparsable";

/** A file that cannot become a document. Its message says what was wrong, where, and what to do. */
export class DocumentError extends Error {
  override readonly name = "DocumentError";
  readonly reason: DocumentErrorReason;

  constructor(reason: DocumentErrorReason, message: string, options?: ErrorOptions) {
    super(message, options);
    this.reason = reason;
  }
}
