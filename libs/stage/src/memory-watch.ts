import { readFileSync } from "node:fs";
import type { Lease } from "@ragline/gpu-lease";
import type { WorkerGroup } from "@ragline/inference";
import type { GpuMemory } from "./gpu-memory.js";

/** Told when workers use too much. */
export interface MemoryWatchEvents {
  /** The workers came near to what was granted, or passed it: use less. */
  onSoftLimit(): void;
  /** The workers are above what was granted although they were told to use less: end one. */
  onOverLimit(): void;
}

/** How often memory is measured. */
export const sampleIntervalMs = 250;
// Near enough to the grant that the next larger call might pass it.
const softShare = 0.95;

// A page is 4 KiB on the platforms that we are built for and have /proc; elsewhere the worker's own word is taken.
const pageBytes = 4096;

function residentBytes(pid: number | undefined): number | undefined {
  if (pid === undefined || process.platform !== "linux") return undefined;
  try {
    return Number(readFileSync(`/proc/${pid}/statm`, "latin1").split(" ")[1]) * pageBytes;
  } catch {
    return undefined;
  }
}

/** Samples the memory of a lease's workers, reports it to the broker, and tells when it nears or passes the grant. */
export class MemoryWatch {
  readonly #lease: Lease;
  readonly #group: WorkerGroup;
  readonly #events: MemoryWatchEvents;
  readonly #gpu: GpuMemory | undefined;
  readonly #timer: NodeJS.Timeout;
  #samples = 0;
  #isNear = false;
  #wasOver = false;

  /** @param gpu measures the workers on a GPU; elsewhere they are measured here. */
  constructor(lease: Lease, group: WorkerGroup, events: MemoryWatchEvents, gpu?: GpuMemory) {
    this.#lease = lease;
    this.#group = group;
    this.#events = events;
    this.#gpu = gpu;
    this.#timer = setInterval(() => this.#sample(), sampleIntervalMs).unref();
    this.#sample();
  }

  /** How many samples were taken since the last call. */
  takeSamples(): number {
    const samples = this.#samples;
    this.#samples = 0;
    return samples;
  }

  /** The highest memory of the workers together so far, in bytes; on a GPU with what the driver tells now. */
  async measurePeak(): Promise<number> {
    this.#group.recordUsage((await this.#gpu?.measure(this.#pids)) ?? 0);
    return this.#group.peakBytes;
  }

  close(): void {
    clearInterval(this.#timer);
    this.#gpu?.close();
    this.#lease.reportUsage(this.#group.peakBytes);
  }

  get #pids(): number[] {
    return [...this.#group.workers].flatMap(({ pid }) => pid ?? []);
  }

  #usedBytes(): number {
    if (this.#gpu) return this.#gpu.usedBy(this.#pids) ?? 0;
    const isResident = this.#group.options.device.kind === "cpu";
    let sum = 0;
    for (const { pid, memory } of this.#group.workers)
      sum += (isResident ? residentBytes(pid) : undefined) ?? memory.usedBytes;
    return sum;
  }

  #sample(): void {
    const used = this.#usedBytes();
    this.#samples++;
    this.#group.recordUsage(used);
    this.#lease.reportUsage(used);
    const { bytes, softLimitBytes } = this.#lease;
    const isNear = used > Math.min(softShare * bytes, softLimitBytes);
    const isOver = used > bytes;
    if (isNear && !this.#isNear) {
      this.#events.onSoftLimit();
    } else if (isOver && this.#wasOver) {
      this.#events.onOverLimit();
    }
    this.#isNear = isNear;
    this.#wasOver = isOver;
  }
}
