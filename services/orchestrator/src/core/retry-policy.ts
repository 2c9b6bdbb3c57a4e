import { RaglineError, status } from "@ragline/rpc";

/** How often a stage is tried again, and how long is waited before. */
export interface RetryPolicy {
  /** Failures in a row after which a stage that refuses work (RESOURCE_EXHAUSTED) counts as lost. @default 8 */
  readonly busyTries: number;
  /** Failures in a row after which a stage that cannot be reached, or breaks off, counts as lost. @default 4 */
  readonly lostTries: number;
  /** Failures in a row after which an address at which nobody has ever answered counts as lost. @default 2 */
  readonly absentTries: number;
  /** Milliseconds within which the first new try starts; they double with every failure. @default 250 */
  readonly baseMs: number;
  /** Most that those milliseconds grow to. @default 4000 */
  readonly maxMs: number;
  /** How often a child of ours that dies is started again for one piece of work. @default 2 */
  readonly restarts: number;
  /** Gives numbers from 0 up to 1. @default Math.random */
  readonly random: () => number;
}

/** The policy of a run. */
export const defaultRetryPolicy: RetryPolicy = {
  busyTries: 8,
  lostTries: 4,
  absentTries: 2,
  baseMs: 250,
  maxMs: 4000,
  restarts: 2,
  random: Math.random,
};

const transientCodes: ReadonlySet<status> = new Set([
  status.UNAVAILABLE,
  status.DEADLINE_EXCEEDED,
  status.RESOURCE_EXHAUSTED,
  status.ABORTED,
  status.CANCELLED,
]);

/** Whether the same work may succeed later, or elsewhere. Calls that were cancelled here are not to be asked about. */
export function isTransient(error: unknown): error is RaglineError {
  return error instanceof RaglineError && transientCodes.has(error.code);
}

const isAbsent = (error: unknown): boolean => error instanceof RaglineError && error.reason === "NOT_REACHABLE";

/**
 * Failures in a row after which a stage that fails like this counts as lost.
 * @param hasAnswered whether it was ever there.
 */
export function triesFor(error: unknown, hasAnswered: boolean, policy: RetryPolicy): number {
  if (!hasAnswered && isAbsent(error)) return policy.absentTries;
  const isBusy = error instanceof RaglineError && error.code === status.RESOURCE_EXHAUSTED;
  return isBusy ? policy.busyTries : policy.lostTries;
}

/**
 * Milliseconds to wait before a new try: what the service asked for (`RetryInfo`), and on top of it a random part of a
 * span that doubles with every failure, so that callers who were refused together do not come back together
 * ("full jitter": https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/).
 * @param failures failures in a row so far, 1 or more.
 */
export function retryDelayMs(error: unknown, failures: number, { baseMs, maxMs, random }: RetryPolicy): number {
  // Where nobody listens, nobody has asked to wait.
  const asksToWait =
    error instanceof RaglineError &&
    !isAbsent(error) &&
    (error.code === status.RESOURCE_EXHAUSTED || error.code === status.UNAVAILABLE);
  return (asksToWait ? error.retryDelayMs : 0) + random() * Math.min(maxMs, baseMs * 2 ** (failures - 1));
}
