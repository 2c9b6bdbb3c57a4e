/** Some calls that a worker process has done. */
export interface DoneWork {
  readonly pid: number | undefined;
  /** When the worker began, in milliseconds since the epoch. */
  readonly startedAtMs: number;
  /** Time that the calls took. */
  readonly seconds: number;
  readonly calls: number;
  readonly paddedTokens: number;
}

/** Told what the workers of a session do, for traces. */
export interface WorkObserver {
  /** W3C `traceparent` of whoever asks for work now; it goes along, so that what a worker logs can be told apart. */
  traceparent?(): string | undefined;
  /** Called when a worker is through with some calls, in the async context of whoever asked for them. */
  onWork?(work: DoneWork): void;
  /** A call ran out of memory; it is done again, smaller if it can be. */
  onOutOfMemory?(): void;
}
