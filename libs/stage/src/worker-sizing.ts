import { availableParallelism } from "node:os";
import type { DeviceKind } from "@ragline/gpu-lease";
import { type MemoryModel, tokensWithin, workerBytes } from "@ragline/inference";

/** What {@link WorkerSizing} starts from. */
export interface WorkerSizingOptions {
  /** What one worker needs, by the kind of device. */
  readonly memory: Readonly<Record<DeviceKind, MemoryModel>>;
  /** Tokens of the longest text that the model takes. */
  readonly maxTokens: number;
  /** Whether texts may share a call. */
  readonly sharesCalls: boolean;
  /** Worker processes on a CPU. @default one per core, fewer where a device cannot grant so much */
  readonly workers?: number;
  /** Most padded tokens in one call. @default one text per call on a CPU, which is fastest there; 16384 elsewhere */
  readonly maxBatchTokens?: number;
}

/** Most padded tokens in one call on a GPU, where the caller set no limit. */
export const defaultBatchTokens = 16_384;

/** How many workers a lease has, how many bytes they ask for, and how large a call they can take within a grant. */
export class WorkerSizing {
  readonly #options: WorkerSizingOptions;
  readonly #maxBatchTokens: number;
  #memory: Readonly<Record<DeviceKind, MemoryModel>>;
  #batchTokens: number;
  #cpuWorkers: number;

  constructor(options: WorkerSizingOptions) {
    this.#options = options;
    this.#memory = options.memory;
    this.#maxBatchTokens = options.maxBatchTokens || defaultBatchTokens;
    this.#batchTokens = options.sharesCalls ? Math.max(options.maxTokens, this.#maxBatchTokens) : options.maxTokens;
    this.#cpuWorkers = options.workers || availableParallelism();
  }

  /** What to ask for: the kind of the device is known only when it is granted, so enough for the one that needs most. */
  get bytes(): number {
    return Math.max(this.bytesOn("cpu"), this.bytesOn("cuda"), this.bytesOn("simulated"));
  }

  /** What the workers on a device of this kind need. */
  bytesOn(kind: DeviceKind): number {
    const { maxTokens } = this.#options;
    const tokens = kind === "cpu" ? Math.max(maxTokens, this.#callTokens(kind)) : this.#batchTokens;
    return Math.ceil(this.workersOn(kind) * workerBytes(this.#memory[kind], maxTokens, tokens));
  }

  /** One per core on a CPU; on a GPU one, which has it for itself. */
  workersOn(kind: DeviceKind): number {
    return kind === "cpu" ? this.#cpuWorkers : 1;
  }

  /** Most padded tokens in a call of a worker that has its share of a grant. */
  tokensWithin(kind: DeviceKind, bytes: number): number {
    const fitting = tokensWithin(this.#memory[kind], bytes / this.workersOn(kind), this.#options.maxTokens);
    return Math.max(1, Math.min(this.#callTokens(kind), fitting));
  }

  /** Takes what was measured in place of an estimate. */
  calibrate(kind: DeviceKind, memory: MemoryModel): void {
    this.#memory = { ...this.#memory, [kind]: memory };
  }

  /** Asks for less: smaller calls, then fewer workers unless their number was given. @returns whether there is less to ask for */
  reduce(): boolean {
    if (this.#batchTokens > this.#options.maxTokens) {
      this.#batchTokens = Math.max(this.#options.maxTokens, this.#batchTokens >> 1);
      return true;
    }
    if (this.#options.workers || this.#cpuWorkers === 1) return false;
    this.#cpuWorkers--;
    return true;
  }

  #callTokens(kind: DeviceKind): number {
    if (kind === "cpu" && !this.#options.maxBatchTokens) return 1;
    return Math.min(this.#maxBatchTokens, this.#batchTokens);
  }
}
