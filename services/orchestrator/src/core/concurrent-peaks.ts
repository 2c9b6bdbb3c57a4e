import { type LeaseEvent, LeaseEvent_Kind } from "@ragline/contracts";

type Told = Pick<LeaseEvent, "kind" | "leaseId" | "device" | "atMs" | "peakBytes">;

/**
 * For each device the most bytes that the leases held at once can have used: the sum of their own peaks. Where one lease is held
 * at a time, that is the largest peak.
 */
export function concurrentPeaks(events: readonly Told[]): Map<string, number> {
  const grantedAt = new Map<string, number>();
  for (const { kind, leaseId, atMs } of events) if (kind === LeaseEvent_Kind.GRANTED) grantedAt.set(leaseId, atMs);
  const changes = events.flatMap(({ kind, leaseId, device, atMs, peakBytes }) => {
    const from = grantedAt.get(leaseId);
    if (kind !== LeaseEvent_Kind.RELEASED || from === undefined) return [];
    const bytes = Number(peakBytes);
    return [
      { device, atMs: from, bytes },
      { device, atMs, bytes: -bytes },
    ];
  });
  const inUse = new Map<string, number>();
  const peaks = new Map<string, number>();
  // What is given back at a moment is free for who takes at the same one.
  for (const { device, bytes } of changes.sort((a, b) => a.atMs - b.atMs || a.bytes - b.bytes)) {
    const used = (inUse.get(device) ?? 0) + bytes;
    inUse.set(device, used);
    peaks.set(device, Math.max(peaks.get(device) ?? 0, used));
  }
  return peaks;
}
