import type { NvidiaSmi } from "@ragline/gpu-lease";

// The driver is asked by a process of its own, so not as often as /proc is read.
const intervalMs = 1000;

/** Memory of some processes on one GPU, as the driver tells it. */
export class GpuMemory {
  readonly #uuid: string;
  readonly #smi: Pick<NvidiaSmi, "gpus" | "processes">;
  readonly #ended = new AbortController();
  readonly #timer: NodeJS.Timeout;
  #byPid: ReadonlyMap<number, number> = new Map();
  /** What others used of it when this began; known processes are subtracted where the driver tells them. */
  #othersBytes: number | undefined;
  #totalBytes = 0;

  constructor(uuid: string, smi: Pick<NvidiaSmi, "gpus" | "processes">) {
    this.#uuid = uuid;
    this.#smi = smi;
    this.#timer = setInterval(() => void this.#sample(), intervalMs).unref();
    void this.#sample();
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
