/** A failure that may be gone at the next try. */
export class PassingError extends Error {
  override readonly name = "PassingError";
  /** Milliseconds that the server asked to wait. */
  readonly waitMs: number;

  /** Whether the other side has never answered at all; then it is likelier not there than busy. */
  readonly isUnreached: boolean;

  constructor(
    message: string,
    {
      waitMs = 0,
      isUnreached = false,
      ...options
    }: ErrorOptions & { readonly waitMs?: number; readonly isUnreached?: boolean } = {},
  ) {
    super(message, options);
    this.waitMs = waitMs;
    this.isUnreached = isUnreached;
  }
}
