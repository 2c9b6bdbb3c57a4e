import type { Lease, LeaseSource } from "@ragline/gpu-lease";
import type { StageObserver } from "./stage-observer.js";

function observed(lease: Lease, observer: StageObserver): Lease {
  const { device } = lease;
  let usedBytes = 0;
  let isHeld = true;
  const use = (bytes: number): void => {
    observer.addUsedBytes(device, bytes - usedBytes);
    usedBytes = bytes;
  };
  const end = (): void => {
    if (!isHeld) return;
    isHeld = false;
    use(0);
    observer.addLeaseBytes(device, -lease.bytes);
  };
  observer.addLeaseBytes(device, lease.bytes);
  lease.revoked.addEventListener(
    "abort",
    () => {
      if (isHeld) observer.countLostLease();
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
      if (isHeld) observer.addLeaseBytes(device, lease.bytes - before);
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

/** The same leases, whose waits, sizes and use are told to an observer. */
export function observedLeases(source: LeaseSource, observer: StageObserver): LeaseSource {
  return {
    describe: (signal) => source.describe(signal),
    acquire: async (request) => {
      const startedAt = performance.now();
      try {
        return observed(await source.acquire(request), observer);
      } finally {
        // One that was asked for only in case it is free at once has not waited.
        if (request.waitMs !== 0) observer.observeLeaseWait((performance.now() - startedAt) / 1000);
      }
    },
  };
}
