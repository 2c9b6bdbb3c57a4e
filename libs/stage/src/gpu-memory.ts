import { setTimeout } from "node:timers/promises";
import type { NvidiaSmi } from "@ragline/gpu-lease";

// The driver is asked by a process of its own, so not as often as /proc is read.
const intervalMs = 500;

/** What is asked of the driver. */
type GpuDriver = Pick<NvidiaSmi, "gpus" | "processes" | "maxAgeMs">;

/** Memory of some processes on one GPU, as the driver tells it. */
export class GpuMemory {
  readonly #uuid: string;
  readonly #smi: GpuDriver;
  readonly #ended = new AbortController();
  readonly #timer: NodeJS.Timeout;
  readonly #begun: Promise<void>;
  #byPid: ReadonlyMap<number, number> = new Map();
  /** What others used of it when this began; known processes are subtracted where the driver tells them. */
  #othersBytes: number | undefined;
  #totalBytes = 0;

  private constructor(uuid: string, smi: GpuDriver) {
    this.#uuid = uuid;
    this.#smi = smi;
    this.#timer = setInterval(() => void this.#sample(), intervalMs).unref();
    this.#begun = this.#sample();
  }

  /** Begins before the processes have any of the GPU's memory; a driver that cannot be asked is asked again later. */
  static async begin(uuid: string, smi: GpuDriver): Promise<GpuMemory> {
    const memory = new GpuMemory(uuid, smi);
    await memory.#begun;
    return memory;
  }

  /** What the driver tells now, as {@link usedBy}: an answer that was given before is not good enough. */
  async measure(pids: readonly number[]): Promise<number | undefined> {
    await setTimeout(this.#smi.maxAgeMs);
    await this.#sample();
    return this.usedBy(pids);
  }

  /**
   * Bytes that the processes have. In a container the driver tells no process by a pid that we know: then it is what the
   * GPU has in use more than when this began. Undefined before the first answer.
   */
  usedBy(pids: readonly number[]): number | undefined {
    if (this.#othersBytes === undefined) return undefined;
    const known = pids.flatMap((pid) => this.#byPid.get(pid) ?? []);
    if (known.length > 0) return known.reduce((sum, bytes) => sum + bytes, 0);
    return Math.max(0, this.#totalBytes - this.#othersBytes);
  }

  close(): void {
    clearInterval(this.#timer);
    this.#ended.abort();
  }

  async #sample(): Promise<void> {
    const { signal } = this.#ended;
    try {
      const [gpus, processes] = await Promise.all([this.#smi.gpus(signal), this.#smi.processes(signal)]);
      const gpu = gpus.find(({ uuid }) => uuid === this.#uuid);
      if (!gpu) return;
      this.#totalBytes = gpu.usedBytes;
      this.#othersBytes ??= gpu.usedBytes;
      this.#byPid = new Map(
        processes.filter(({ uuid }) => uuid === this.#uuid).map(({ pid, usedBytes }) => [pid, usedBytes]),
      );
    } catch {
      // A driver that cannot be asked now is asked again; what it said last stands meanwhile.
    }
  }
}
