import { readFileSync } from "node:fs";
import type { WorkerMemory } from "./worker-protocol.js";

let peakBytes = 0;

/** The highest resident memory of this process in bytes, from the kernel where it says so. */
function kernelPeak(): number | undefined {
  // Not getrusage's maxrss: that still holds the peak of the process we were forked from.
  try {
    const kibibytes = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync("/proc/self/status", "latin1"))?.[1];
    return kibibytes === undefined ? undefined : Number(kibibytes) * 1024;
  } catch {
    return undefined;
  }
}

/** Resident memory of this process now and at its highest; off Linux the highest of those that were asked for. */
export function residentMemory(): WorkerMemory {
  const usedBytes = process.memoryUsage.rss();
  peakBytes = Math.max(peakBytes, usedBytes, kernelPeak() ?? 0);
  return { usedBytes, peakBytes };
}
