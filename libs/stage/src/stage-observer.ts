/** Told what a stage does, for its metrics. */
export interface StageObserver {
  /** Seconds that one batch of a stream took. */
  observeLatency(seconds: number): void;
  /** Texts and padded tokens of one call of the model. */
  observeBatch(items: number, tokens: number): void;
  /** Items that ended as "ok" or "truncated". */
  countChunks(outcome: string, count: number): void;
  /** A change of the token budget, up or down, and why. */
  countResize(cause: string, direction: "up" | "down"): void;
  /** Largest memory of the workers on a device. */
  recordPeakBytes(device: string, bytes: number): void;
}
