import { setTimeout as sleep } from "node:timers/promises";
import type { LeaseSource } from "@ragline/gpu-lease";
import { RaglineError, status } from "@ragline/rpc";

// A broker that is started again is back within seconds; one that stays away is an error.
const longestRestartMs = 30_000;
const retryMs = 250;

/** Asks again while the broker is away, for as long as the caller is willing to wait. */
async function whileAway<Answer>(
  ask: () => Promise<Answer>,
  { waitMs, signal }: { readonly waitMs: number; readonly signal: AbortSignal | undefined },
): Promise<Answer> {
  const until = performance.now() + waitMs;
  for (;;) {
    try {
      return await ask();
    } catch (error) {
      const isAway = error instanceof RaglineError && error.code === status.UNAVAILABLE;
      if (!isAway || performance.now() >= until) throw error;
      await sleep(retryMs, undefined, { signal });
    }
  }
}

/**
 * The same leases, but a broker that cannot be reached is asked again for up to 30 seconds, since it may be being
 * started again: a restart costs everybody the place in the line, and nobody the work.
 * @param waitMs most milliseconds to wait, if that is less
 */
export function outlastRestarts(source: LeaseSource, waitMs: number): LeaseSource {
  const mostMs = Math.min(waitMs, longestRestartMs);
  return {
    describe: (signal) => whileAway(() => source.describe(signal), { waitMs: mostMs, signal }),
    acquire: (request) => {
      const { waitMs: most = mostMs, signal } = request;
      return whileAway(() => source.acquire(request), { waitMs: Math.min(most, mostMs), signal });
    },
  };
}
