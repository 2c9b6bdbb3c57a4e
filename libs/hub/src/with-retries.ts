import { setTimeout as delay } from "node:timers/promises";
import pRetry from "p-retry";
import { HubError } from "./hub-error.js";
import { PassingError } from "./passing-error.js";

/** How often something is tried again. */
export interface RetryOptions {
  /** Failures in a row, without any progress, that are followed by another try. @default 8 */
  readonly retries?: number;
  /** Milliseconds before the second try; they double with every failure. @default 500 */
  readonly minBackoffMs?: number;
  readonly signal?: AbortSignal | undefined;
  /** Told before each new try. */
  readonly onRetry?: (problem: string) => void;
}

const maxBackoffMs = 30_000;
const longestWaitMs = 300_000;
// Of a hub that has never answered.
const firstRetries = 2;

/**
 * Tries until it succeeds, fails for good, or fails too often in a row. Waits as long as the server asks (Retry-After).
 * @param what names the file or repository in the error.
 * @param hasProgressed whether the last try got any further; then it does not count.
 * @throws HubError "unreachable" in the end; other errors at once.
 */
export async function withRetries<Result>(
  what: string,
  attempt: () => Promise<Result>,
  { retries = 8, minBackoffMs = 500, signal, onRetry }: RetryOptions,
  hasProgressed: () => boolean = () => false,
): Promise<Result> {
  try {
    return await pRetry(attempt, {
      retries,
      minTimeout: minBackoffMs,
      maxTimeout: maxBackoffMs,
      randomize: true,
      signal,
      shouldConsumeRetry: () => !hasProgressed(),
      shouldRetry: async ({ error, retriesConsumed }) => {
        if (!(error instanceof PassingError)) return false;
        if (error.isUnreached && retriesConsumed >= firstRetries) return false;
        if (error.waitMs > longestWaitMs)
          throw new HubError(
            "unreachable",
            `${what}: the hub asks to wait ${Math.ceil(error.waitMs / 60_000)} minutes; try again then, what has come is kept`,
            { cause: error },
          );
        onRetry?.(error.message);
        if (error.waitMs > 0) await delay(error.waitMs, undefined, signal ? { signal } : {});
        return true;
      },
    });
  } catch (error) {
    signal?.throwIfAborted();
    if (!(error instanceof PassingError)) throw error;
    const advice = error.isUnreached
      ? "check the network, a proxy that is set, and HF_ENDPOINT"
      : "try later, what has come is kept";
    throw new HubError("unreachable", `${what}: ${error.message}, again and again; ${advice}`, { cause: error });
  }
}
