import { setTimeout as sleep } from "node:timers/promises";

/** A device without hardware: a ledger that runs out of memory at a budget. */
export interface SimulatedDeviceOptions {
  /** What the worker was granted. */
  readonly bytes: number;
  /** Weights, in use all the time. @default 0 */
  readonly weightsBytes?: number;
  /** Activations for each padded token of a call. @default 65536 */
  readonly bytesPerToken?: number;
  /**
   * What another user of the device leaves of it in each `tightEvery`th call, weights included; with less than the weights
   * each of these calls fails. The first call of a worker is none of them unless all are, so what failed can be tried again.
   * @default everything
   */
  readonly tightBytes?: number;
  /** @default 2 */
  readonly tightEvery?: number;
  /** Time that each padded token takes at least, computing included. @default 0 */
  readonly microsecondsPerToken?: number;
}

const fields = ["bytes", "weightsBytes", "bytesPerToken", "tightBytes", "tightEvery", "microsecondsPerToken"] as const;

/** Takes only numbers of the fields above from what came with a lease. Throws a TypeError that names a wrong one. */
export function parseSimulatedOptions(given: Readonly<Record<string, unknown>>): SimulatedDeviceOptions {
  const options: Partial<Record<(typeof fields)[number], number>> = {};
  for (const field of fields) {
    const value = given[field];
    if (value === undefined) continue;
    if (typeof value !== "number" || !(value >= 0)) throw new TypeError(`simulated device: ${field} is not a number`);
    options[field] = value;
  }
  if (options.bytes === undefined) throw new TypeError("simulated device: bytes is missing");
  return { ...options, bytes: options.bytes };
}

const defaultBytesPerToken = 65_536;
// A pause longer than this is idleness: the time after it is not made up for.
const idleMs = 50;

/** The ledger of one worker on a simulated device. */
export class SimulatedDevice {
  readonly #options: SimulatedDeviceOptions;
  #calls = 0;
  #reserved = 0;
  #peak = 0;
  #busyUntil = 0;

  constructor(options: SimulatedDeviceOptions) {
    this.#options = options;
    this.#peak = this.usedBytes;
  }

  /** Weights and the calls under way. */
  get usedBytes(): number {
    return (this.#options.weightsBytes ?? 0) + this.#reserved;
  }

  /** The most so far. */
  get peakBytes(): number {
    return this.#peak;
  }

  /**
   * Reserves the activations of a call.
   * @returns what frees them.
   * @throws Error "out of memory" when the budget does not allow it.
   */
  reserve(tokens: number): () => void {
    const { bytes, bytesPerToken = defaultBytesPerToken, tightBytes, tightEvery = 2 } = this.#options;
    const isTight = tightBytes !== undefined && ++this.#calls % tightEvery === 0;
    const budget = isTight ? Math.min(bytes, tightBytes) : bytes;
    const needed = tokens * bytesPerToken;
    if (this.usedBytes + needed > budget) {
      throw new Error(`out of memory: ${needed} bytes needed, ${Math.max(0, budget - this.usedBytes)} free`);
    }
    this.#reserved += needed;
    this.#peak = Math.max(this.#peak, this.usedBytes);
    return () => {
      this.#reserved -= needed;
    };
  }

  /**
   * Waits until a call of so many tokens has taken its time; what a timer is late by is made up for in the next call.
   * @param startedAt when the call began, by `performance.now()`
   */
  async pace(tokens: number, startedAt: number): Promise<void> {
    const { microsecondsPerToken = 0 } = this.#options;
    if (microsecondsPerToken === 0) return;
    const from = startedAt - this.#busyUntil > idleMs ? startedAt : this.#busyUntil;
    this.#busyUntil = from + (tokens * microsecondsPerToken) / 1000;
    const left = this.#busyUntil - performance.now();
    if (left >= 1) await sleep(left);
  }
}
