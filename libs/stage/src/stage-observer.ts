/** Told what a stage does, for its metrics. */
export interface StageObserver {
  /** Seconds that one batch of a stream took. */
  observeLatency(seconds: number): void;
  /** Texts and padded tokens of one call of the model. */
  observeBatch(items: number, tokens: number): void;
  /** Items that ended as "ok" or "truncated". */
  countChunks(outcome: string, count: number): void;
  /** A change of the token budget, up or down. */
  countResize(direction: "up" | "down"): void;
  /** A call of the model ran out of memory. */
  countOutOfMemory(): void;
  /** Largest memory of the workers on a device. */
  recordPeakBytes(device: string, bytes: number): void;
  /** The workers of a lease use more or fewer bytes of a device than before. */
  addUsedBytes(device: string, delta: number): void;
  /** The stage's leases on a device have more or fewer bytes than before. */
  addLeaseBytes(device: string, delta: number): void;
  /** Seconds that a lease was waited for, granted or given up. */
  observeLeaseWait(seconds: number): void;
  /** A lease was revoked, or its broker lost. */
  countLostLease(): void;
}
