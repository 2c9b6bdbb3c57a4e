/** A failure that may be gone at the next try. */
export class PassingError extends Error {
  override readonly name = "PassingError";
  /** Milliseconds that the server asked to wait. */
  readonly waitMs: number;

  constructor(message: string, { waitMs = 0, ...options }: ErrorOptions & { readonly waitMs?: number } = {}) {
    super(message, options);
    this.waitMs = waitMs;
  }
}
