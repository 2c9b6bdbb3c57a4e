import { setTimeout as sleep } from "node:timers/promises";
import type { MessageInitShape } from "@bufbuild/protobuf";
import type { DeviceUseSchema } from "@ragline/contracts";
import type { Lease, LeaseRequest, LeaseSource } from "@ragline/gpu-lease";
import type { ModelSession, WorkerGroup } from "@ragline/inference";
import { RaglineError, status } from "@ragline/rpc";
import { MemoryWatch } from "./memory-watch.js";
import { workerDevice } from "./worker-device.js";
import type { WorkerSizing } from "./worker-sizing.js";

/** What {@link LeasedWorkers} needs. */
export interface LeasedWorkersOptions {
  readonly session: ModelSession;
  readonly source: LeaseSource;
  /** Which model of which stage asks, and how urgently. */
  readonly request: Pick<LeaseRequest, "stage" | "model" | "priority">;
  readonly sizing: WorkerSizing;
  /** Most milliseconds to wait for a lease, the first or one that replaces a lost one. */
  readonly waitMs: number;
  /** Most devices at once. @default as many as are granted */
  readonly maxDevices?: number;
  /** Threads of each worker's session. @default 1 */
  readonly threadsPerWorker?: number;
  /** Gives up when it aborts. */
  readonly signal: AbortSignal;
  /** Told when the last lease was lost and none could be had in its place: nothing can be computed any more. */
  readonly onStranded: (error: RaglineError) => void;
}

/** One lease and the workers that compute under it. */
interface Hold {
  readonly lease: Lease;
  readonly group: WorkerGroup;
  readonly watch: MemoryWatch;
}

// How often a device that was busy is asked for again.
const expandEveryMs = 2000;
// A broker that is started again is back within seconds; one that stays away is an error.
const brokerLossMs = 30_000;
const brokerRetryMs = 250;

/**
 * The workers of a session and the leases that they compute under: the first is waited for, those of further free
 * devices are taken when they can be had. Nobody computes without a lease: when one is lost its workers are ended at
 * once, their work goes back into the session's queue, and another lease is asked for.
 */
export class LeasedWorkers {
  readonly #options: LeasedWorkersOptions;
  readonly #holds = new Set<Hold>();
  readonly #uses = new Map<string, MessageInitShape<typeof DeviceUseSchema> & { peak: number }>();
  readonly #ended = new AbortController();
  #leasesLost = 0;
  #softLimitCrossings = 0;
  #memoryKills = 0;

  private constructor(options: LeasedWorkersOptions) {
    this.#options = options;
    // At once: workers may be about to open, or in the middle of a long call.
    this.#ended.signal.addEventListener("abort", () => void options.session.close(), { once: true });
    options.signal.addEventListener("abort", () => this.#ended.abort(options.signal.reason), { once: true });
  }

  /** Waits for the first lease and opens the session's workers under it. */
  static async open(
    options: LeasedWorkersOptions,
  ): Promise<{ workers: LeasedWorkers; first: Lease; group: WorkerGroup }> {
    options.signal.throwIfAborted();
    const workers = new LeasedWorkers(options);
    const { lease, group } = await workers.#add(options.waitMs);
    void workers.#expand();
    return { workers, first: lease, group };
  }

  /** Gives back what the leases have more than their workers need, once that is known. */
  resize(): void {
    const { sizing } = this.#options;
    for (const { lease } of this.#holds) {
      if (sizing.bytes < lease.bytes) lease.shrunk(sizing.bytes);
    }
    this.#setLimit();
  }

  /** Leases that were lost and asked for again. */
  get leasesLost(): number {
    return this.#leasesLost;
  }

  /** How often workers came near to what was granted. */
  get softLimitCrossings(): number {
    return this.#softLimitCrossings;
  }

  /** Workers that were ended because they used more than was granted. */
  get memoryKills(): number {
    return this.#memoryKills;
  }

  /** What each device that was leased has seen. */
  get devices(): MessageInitShape<typeof DeviceUseSchema>[] {
    for (const hold of this.#holds) this.#note(hold);
    return [...this.#uses.values()].map(({ peak, ...use }) => ({ ...use, peakBytes: BigInt(Math.round(peak)) }));
  }

  /** Ends the workers, then gives the leases back. */
  async close(): Promise<void> {
    this.#ended.abort();
    const holds = [...this.#holds];
    for (const hold of holds) {
      hold.watch.close();
      this.#note(hold);
    }
    await this.#options.session.close();
    for (const { lease } of holds) lease.release();
  }

  /** A lease and its workers; when it is lost while they open, another. */
  async #add(waitMs: number): Promise<Hold> {
    let lost: Lease | undefined;
    for (;;) {
      let lease: Lease;
      try {
        lease = await this.#acquire(waitMs);
      } catch (error) {
        throw lost && !this.#ended.signal.aborted ? this.#stranded(error) : error;
      }
      try {
        return await this.#openUnder(lease);
      } catch (error) {
        lease.release();
        if (!lease.revoked.aborted || this.#ended.signal.aborted) throw error;
        this.#leasesLost++;
        lost = lease;
      }
    }
  }

  async #openUnder(lease: Lease): Promise<Hold> {
    const { session, sizing, threadsPerWorker } = this.#options;
    lease.revoked.throwIfAborted();
    const endOpening = () => {
      for (const group of session.groups) if (group.options.name === lease.device) void session.detach(group);
    };
    lease.revoked.addEventListener("abort", endOpening, { once: true });
    const group = await session.attach({
      name: lease.device,
      device: workerDevice(lease),
      fencingToken: lease.fencingToken,
      workers: sizing.workers,
      ...(threadsPerWorker ? { threadsPerWorker } : {}),
    });
    lease.revoked.removeEventListener("abort", endOpening);
    const hold: Hold = { lease, group, watch: this.#watch(lease, group) };
    this.#holds.add(hold);
    this.#setLimit();
    lease.onShrink((bytes) => this.#shrink(hold, bytes));
    lease.revoked.addEventListener("abort", () => void this.#onLost(hold), { once: true });
    return hold;
  }

  #stranded(cause: unknown): RaglineError {
    const { model } = this.#options.request;
    const why = cause instanceof Error ? cause.message : String(cause);
    const message = `the lease of ${model} was lost and no other could be had (${why}); run again when a device is free`;
    return new RaglineError("ABORTED", "LEASE_REVOKED", message, { cause });
  }

  /** A broker that was started again with devices of another kind: its results would differ in their last bits. */
  #otherKind({ device }: Lease): RaglineError {
    const { model } = this.#options.request;
    const message = `the broker grants ${device} now, and ${model} was begun on a device of kind ${this.#options.sizing.kind}; run again`;
    return new RaglineError("FAILED_PRECONDITION", "LEASE_KIND_CHANGED", message);
  }

  /** A lease that is as large as the sizing wants, or the largest that a device can grant. Waits out a broker's restart. */
  async #acquire(waitMs: number): Promise<Lease> {
    const { source, request, sizing } = this.#options;
    const signal = this.#ended.signal;
    const exceptDevices = [...this.#holds].map(({ lease }) => lease.device);
    const lostAfter = performance.now() + Math.min(waitMs, brokerLossMs);
    for (;;) {
      try {
        const { bytes, kind: deviceKind } = sizing;
        const lease = await source.acquire({ ...request, bytes, deviceKind, waitMs, signal, exceptDevices });
        if (lease.deviceKind !== deviceKind) {
          lease.release();
          throw this.#otherKind(lease);
        }
        const use = this.#uses.get(lease.device);
        this.#uses.set(lease.device, {
          device: lease.device,
          kind: lease.deviceKind,
          grantedBytes: BigInt(lease.bytes),
          samples: use?.samples ?? 0n,
          leases: (use?.leases ?? 0) + 1,
          waitSeconds: (use?.waitSeconds ?? 0) + lease.waitMs / 1000,
          peak: use?.peak ?? 0,
        });
        return lease;
      } catch (error) {
        if (!(error instanceof RaglineError) || signal.aborted) throw error;
        if (error.reason === "LEASE_ABOVE_CAP" && sizing.reduce()) continue;
        // It was there when the stage was opened, so it is being started again; our place in the line is lost with it.
        if (error.code !== status.UNAVAILABLE || performance.now() > lostAfter) throw error;
        await sleep(brokerRetryMs, undefined, { signal });
      }
    }
  }

  /** Takes further devices while there are some that can be had at once. */
  async #expand(): Promise<void> {
    const { maxDevices = Infinity } = this.#options;
    while (!this.#ended.signal.aborted) {
      try {
        if (this.#holds.size < maxDevices) {
          await this.#add(0);
          continue;
        }
      } catch (error) {
        const isBusy = error instanceof RaglineError && error.reason === "LEASE_TIMEOUT";
        if (!isBusy) return;
      }
      await sleep(expandEveryMs, undefined, { signal: this.#ended.signal, ref: false }).catch(() => undefined);
    }
  }

  #watch(lease: Lease, group: WorkerGroup): MemoryWatch {
    const { session } = this.#options;
    return new MemoryWatch(lease, group, {
      onSoftLimit: () => {
        this.#softLimitCrossings++;
        session.budget.softLimit();
      },
      onOverLimit: () => {
        this.#memoryKills++;
        session.endLargest(group);
      },
    });
  }

  /** No call may need more than the smallest grant has. */
  #setLimit(): void {
    const { session, sizing } = this.#options;
    const limits = [...this.#holds].map(({ lease }) => sizing.tokensWithin(lease.bytes));
    if (limits.length > 0) session.budget.setLimit(Math.max(1, Math.min(...limits)));
  }

  #shrink({ lease }: Hold, bytes: number): void {
    lease.shrunk(bytes);
    this.#setLimit();
  }

  #note({ lease, group, watch }: Hold): void {
    const use = this.#uses.get(lease.device);
    if (!use) return;
    use.peak = Math.max(use.peak, group.peakBytes);
    use.samples = BigInt(use.samples ?? 0n) + BigInt(watch.takeSamples());
  }

  async #onLost(hold: Hold): Promise<void> {
    const { session, waitMs, onStranded } = this.#options;
    if (!this.#holds.delete(hold) || this.#ended.signal.aborted) return;
    hold.watch.close();
    this.#note(hold);
    this.#leasesLost++;
    await session.detach(hold.group);
    hold.lease.release();
    try {
      await this.#add(waitMs);
    } catch (error) {
      if (this.#holds.size > 0 || this.#ended.signal.aborted) return;
      onStranded(error instanceof RaglineError && error.reason === "LEASE_REVOKED" ? error : this.#stranded(error));
    }
  }
}
