/**
 * Why a file is no document. `timeout`, `out_of_memory` and `crashed` are what its parser did; `unparsable` is a file that
 * is damaged or of another format than its name says.
 */
export type DocumentErrorReason =
  | "missing"
  | "unsupported"
  | "unreadable"
  | "too_large"
  | "empty"
  | "binary"
  | "invalid_utf8"
  | "invalid_utf16"
  | "encrypted"
  | "unparsable"
  | "timeout"
  | "out_of_memory"
  | "crashed";

/** A file that cannot become a document. Its message says what was wrong, where, and what to do. */
export class DocumentError extends Error {
  override readonly name = "DocumentError";
  readonly reason: DocumentErrorReason;

  constructor(reason: DocumentErrorReason, message: string, options?: ErrorOptions) {
    super(message, options);
    this.reason = reason;
  }
}
