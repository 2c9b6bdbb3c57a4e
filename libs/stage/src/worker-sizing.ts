import { availableParallelism } from "node:os";
import type { DeviceKind } from "@ragline/gpu-lease";
import { type MemoryModel, tokensWithin, workerBytes } from "@ragline/inference";

/** What {@link WorkerSizing} starts from. */
export interface WorkerSizingOptions {
  /** The kind of all devices that are leased. */
  readonly kind: DeviceKind;
  /** What one worker needs on such a device. */
  readonly memory: MemoryModel;
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
  #memory: MemoryModel;
  #batchTokens: number;
  #cpuWorkers: number;

  constructor(options: WorkerSizingOptions) {
    this.#options = options;
    this.#memory = options.memory;
    this.#maxBatchTokens = options.maxBatchTokens || defaultBatchTokens;
    this.#batchTokens = options.sharesCalls ? Math.max(options.maxTokens, this.#maxBatchTokens) : options.maxTokens;
    this.#cpuWorkers = options.workers || availableParallelism();
  }

  /** The kind of all devices that are leased. */
  get kind(): DeviceKind {
    return this.#options.kind;
  }

  /** What the workers on one device need. */
  get bytes(): number {
    const { maxTokens, kind } = this.#options;
    const tokens = kind === "cpu" ? Math.max(maxTokens, this.#callTokens()) : this.#batchTokens;
    return Math.ceil(this.workers * workerBytes(this.#memory, maxTokens, tokens));
  }

  /** Workers on one device: one per core on a CPU; on a GPU one, which has it for itself. */
  get workers(): number {
    return this.#options.kind === "cpu" ? this.#cpuWorkers : 1;
  }

  /** Most padded tokens in a call of a worker that has its share of a grant. */
  tokensWithin(bytes: number): number {
    const fitting = tokensWithin(this.#memory, bytes / this.workers, this.#options.maxTokens);
    return Math.max(1, Math.min(this.#callTokens(), fitting));
  }

  /** Takes what was measured in place of an estimate. */
  calibrate(memory: MemoryModel): void {
    this.#memory = memory;
  }

  /** Asks for less: smaller calls, then fewer workers unless their number was given. @returns whether there is less to ask for */
  reduce(): boolean {
    if (this.#batchTokens > this.#options.maxTokens) {
      this.#batchTokens = Math.max(this.#options.maxTokens, this.#batchTokens >> 1);
      return true;
    }
    if (this.#options.kind !== "cpu" || this.#options.workers || this.#cpuWorkers === 1) return false;
    this.#cpuWorkers--;
    return true;
  }

  #callTokens(): number {
    if (this.#options.kind === "cpu" && !this.#options.maxBatchTokens) return 1;
    return Math.min(this.#maxBatchTokens, this.#batchTokens);
  }
}
