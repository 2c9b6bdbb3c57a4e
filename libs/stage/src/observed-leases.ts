import type { Lease, LeaseSource } from "@ragline/gpu-lease";
import { RaglineError } from "@ragline/rpc";
import type { StageEvent } from "./stage-events.js";
import type { StageObserver } from "./stage-observer.js";

function observed(lease: Lease, observer: StageObserver, tell: StageEvent): Lease {
  const { device } = lease;
  const where = { "rag.device": device };
  let usedBytes = 0;
  let peakBytes = 0;
  let isHeld = true;
  const use = (bytes: number): void => {
    observer.addUsedBytes(device, bytes - usedBytes);
    usedBytes = bytes;
    peakBytes = Math.max(peakBytes, bytes);
  };
  const end = (): void => {
    if (!isHeld) return;
    isHeld = false;
    use(0);
    observer.addLeaseBytes(device, -lease.bytes);
    tell("rag.lease.released", { ...where, "rag.lease.peak_bytes": peakBytes });
  };
  observer.addLeaseBytes(device, lease.bytes);
  tell("rag.lease.granted", {
    ...where,
    "rag.lease.bytes": lease.bytes,
    "rag.lease.fencing_token": lease.fencingToken,
    "rag.lease.wait_seconds": lease.waitMs / 1000,
  });
  lease.revoked.addEventListener(
    "abort",
    () => {
      if (!isHeld) return;
      observer.countLostLease();
      tell("rag.lease.lost", { ...where, "rag.reason": reasonOf(lease.revoked.reason) });
    },
    { once: true },
  );
  return {
    ...lease,
    get bytes() {
      return lease.bytes;
    },
    shrunk: (bytes) => {
      const before = lease.bytes;
      lease.shrunk(bytes);
      if (!isHeld) return;
      observer.addLeaseBytes(device, lease.bytes - before);
      tell("rag.lease.shrunk", { ...where, "rag.lease.bytes": lease.bytes });
    },
    reportUsage: (bytes) => {
      if (isHeld) use(bytes);
      lease.reportUsage(bytes);
    },
    release: () => {
      end();
      lease.release();
    },
  };
}

const reasonOf = (error: unknown): string => (error instanceof RaglineError ? error.reason : "UNKNOWN");

/** The same leases, whose waits, sizes and use are told to an observer, and as events of the stream's span. */
export function observedLeases(source: LeaseSource, observer: StageObserver, tell: StageEvent): LeaseSource {
  return {
    describe: (signal) => source.describe(signal),
    acquire: async (request) => {
      // One that is asked for only in case it is free at once does not wait.
      if (request.waitMs === 0) return observed(await source.acquire(request), observer, tell);
      const startedAt = performance.now();
      tell("rag.lease.wait", { "rag.lease.bytes": request.bytes });
      try {
        return observed(await source.acquire(request), observer, tell);
      } catch (error) {
        tell("rag.lease.refused", { "rag.reason": reasonOf(error) });
        throw error;
      } finally {
        observer.observeLeaseWait((performance.now() - startedAt) / 1000);
      }
    },
  };
}
