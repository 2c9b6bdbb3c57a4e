import { setTimeout as sleep } from "node:timers/promises";
import type { MessageInitShape } from "@bufbuild/protobuf";
import { type DeviceUseSchema, LeaseEvent_Kind, type LeaseEventSchema } from "@ragline/contracts";
import { type Lease, type LeaseRequest, type LeaseSource, NvidiaSmi } from "@ragline/gpu-lease";
import type { ModelSession, WorkerGroup } from "@ragline/inference";
import { RaglineError } from "@ragline/rpc";
import { GpuMemory } from "./gpu-memory.js";
import { LeaseLog } from "./lease-log.js";
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

// One for all leases of this process, so that they share its answers.
const nvidiaSmi = new NvidiaSmi();

/** Measures a lease's GPU; nothing on another device. */
async function gpuMemoryOf({ deviceKind, deviceOptions: { uuid } }: Lease): Promise<GpuMemory | undefined> {
  return deviceKind === "cuda" && typeof uuid === "string" ? await GpuMemory.begin(uuid, nvidiaSmi) : undefined;
}

/**
 * The workers of a session and the leases that they compute under: the first is waited for, those of further free
 * devices are taken when they can be had. Nobody computes without a lease: when one is lost its workers are ended at
 * once, their work goes back into the session's queue, and another lease is asked for.
 */
export class LeasedWorkers {
  readonly #options: LeasedWorkersOptions;
  readonly #holds = new Set<Hold>();
  /** Leases whose workers are being opened, until they are or cannot be. */
  readonly #opening = new Map<Lease, Promise<Hold>>();
  readonly #log = new LeaseLog();
  readonly #ended = new AbortController();
  #leasesLost = 0;
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
  ): Promise<{ workers: LeasedWorkers; first: Lease; group: WorkerGroup; measurePeak: () => Promise<number> }> {
    options.signal.throwIfAborted();
    const workers = new LeasedWorkers(options);
    const { lease, group, watch } = await workers.#add(options.waitMs);
    void workers.#expand();
    return { workers, first: lease, group, measurePeak: () => watch.measurePeak() };
  }

  /** Gives back what the leases have more than their workers need, once that is known. */
  resize(): void {
    const { sizing } = this.#options;
    for (const { lease } of this.#holds) {
      if (sizing.bytes < lease.bytes) this.#giveBack(lease, sizing.bytes);
    }
    this.#setLimit();
  }

  /** Leases that were lost and asked for again. */
  get leasesLost(): number {
    return this.#leasesLost;
  }

  /** How often workers came near to what was granted. */
  get softLimitCrossings(): number {
    return this.#log.softLimitCrossings;
  }

  /** Workers that were ended because they used more than was granted. */
  get memoryKills(): number {
    return this.#memoryKills;
  }

  /** What each device that was leased has seen. */
  get devices(): MessageInitShape<typeof DeviceUseSchema>[] {
    for (const hold of this.#holds) this.#note(hold);
    return this.#log.devices;
  }

  /** What happened to the leases, oldest first: the latest 200. */
  get events(): readonly MessageInitShape<typeof LeaseEventSchema>[] {
    return this.#log.events;
  }

  /** Ends the workers, then gives the leases back. */
  async close(): Promise<void> {
    this.#ended.abort();
    await this.#options.session.close();
    // Workers that were about to open have failed to, or have come too late and are ended as well.
    await Promise.allSettled(this.#opening.values());
    for (const hold of this.#holds) {
      hold.watch.close();
      this.#note(hold);
      this.#release(hold);
    }
    this.#holds.clear();
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
        return await this.#open(lease);
      } catch (error) {
        if (!lease.revoked.aborted || this.#ended.signal.aborted) throw error;
        this.#leasesLost++;
        lost = lease;
      }
    }
  }

  /** Opens the workers under a lease, or gives it back. */
  #open(lease: Lease): Promise<Hold> {
    const openOrRelease = async (): Promise<Hold> => {
      try {
        return await this.#openUnder(lease);
      } catch (error) {
        lease.release();
        this.#log.record(LeaseEvent_Kind.RELEASED, lease);
        throw error;
      } finally {
        this.#opening.delete(lease);
      }
    };
    const opening = openOrRelease();
    this.#opening.set(lease, opening);
    return opening;
  }

  async #openUnder(lease: Lease): Promise<Hold> {
    const { session, sizing, threadsPerWorker } = this.#options;
    lease.revoked.throwIfAborted();
    const endOpening = () => {
      for (const group of session.groups) if (group.options.name === lease.device) void session.detach(group);
    };
    lease.revoked.addEventListener("abort", endOpening, { once: true });
    // Before the workers have any of it.
    const gpu = await gpuMemoryOf(lease);
    let group: WorkerGroup;
    try {
      group = await session.attach({
        name: lease.device,
        device: workerDevice(lease),
        fencingToken: lease.fencingToken,
        workers: sizing.workers,
        ...(threadsPerWorker ? { threadsPerWorker } : {}),
      });
    } catch (error) {
      gpu?.close();
      throw error;
    }
    lease.revoked.removeEventListener("abort", endOpening);
    const hold: Hold = { lease, group, watch: this.#watch(lease, group, gpu) };
    this.#holds.add(hold);
    this.#setLimit();
    lease.onShrink((bytes, reason) => {
      this.#log.record(LeaseEvent_Kind.SHRINK, lease, { reason });
      this.#giveBack(lease, bytes);
      this.#setLimit();
    });
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

  /** Devices that are leased here already. */
  get #takenDevices(): string[] {
    const leases = [...[...this.#holds].map(({ lease }) => lease), ...this.#opening.keys()];
    return leases.map(({ device }) => device);
  }

  /** A lease that is as large as the sizing wants, or the largest that a device can grant. */
  async #acquire(waitMs: number): Promise<Lease> {
    const { source, request, sizing } = this.#options;
    const signal = this.#ended.signal;
    const exceptDevices = this.#takenDevices;
    for (;;) {
      try {
        const { bytes, kind: deviceKind } = sizing;
        const lease = await source.acquire({ ...request, bytes, deviceKind, waitMs, signal, exceptDevices });
        if (lease.deviceKind !== deviceKind) {
          lease.release();
          throw this.#otherKind(lease);
        }
        this.#log.granted(lease);
        return lease;
      } catch (error) {
        const isTooLarge = error instanceof RaglineError && error.reason === "LEASE_ABOVE_CAP";
        if (!isTooLarge || !sizing.reduce()) throw error;
      }
    }
  }

  /** Takes further devices while there are some that can be had at once. */
  async #expand(): Promise<void> {
    const { maxDevices = Infinity } = this.#options;
    let isRefused = false;
    const onFailed = (lease: Lease): void => {
      if (lease.revoked.aborted) this.#leasesLost++;
      else isRefused = true;
    };
    while (!this.#ended.signal.aborted && !isRefused) {
      try {
        if (this.#holds.size + this.#opening.size < maxDevices && (await this.#seesIdleDevice())) {
          const lease = await this.#acquire(0);
          // All at once; what one cannot do the others do.
          this.#open(lease).catch(() => onFailed(lease));
          continue;
        }
      } catch (error) {
        const isBusy = error instanceof RaglineError && error.reason === "LEASE_TIMEOUT";
        if (!isBusy) return;
      }
      await sleep(expandEveryMs, undefined, { signal: this.#ended.signal, ref: false }).catch(() => undefined);
    }
  }

  /** Whether a device that would do is leased to nobody: asking for one that is not would only be refused. */
  async #seesIdleDevice(): Promise<boolean> {
    const { source, sizing } = this.#options;
    const taken = new Set(this.#takenDevices);
    const { devices } = await source.describe(this.#ended.signal);
    return devices.some(
      ({ name, kind, leases, waiting }) =>
        kind === sizing.kind && !taken.has(name) && leases.length === 0 && waiting === 0,
    );
  }

  #watch(lease: Lease, group: WorkerGroup, gpu: GpuMemory | undefined): MemoryWatch {
    const { session } = this.#options;
    const events = {
      onSoftLimit: () => {
        this.#log.crossed(lease);
        session.budget.softLimit();
      },
      onOverLimit: () => {
        this.#memoryKills++;
        session.endLargest(group);
      },
    };
    return new MemoryWatch(lease, group, events, gpu);
  }

  /** No call may need more than the smallest grant has. */
  #setLimit(): void {
    const { session, sizing } = this.#options;
    const limits = [...this.#holds].map(({ lease }) => sizing.tokensWithin(lease.bytes));
    if (limits.length > 0) session.budget.setLimit(Math.max(1, Math.min(...limits)));
  }

  #giveBack(lease: Lease, bytes: number): void {
    lease.shrunk(bytes);
    this.#log.record(LeaseEvent_Kind.SHRUNK, lease);
  }

  #release({ lease, group }: Hold): void {
    lease.release();
    this.#log.record(LeaseEvent_Kind.RELEASED, lease, { peakBytes: BigInt(Math.round(group.peakBytes)) });
  }

  #note({ lease, group, watch }: Hold): void {
    this.#log.measured(lease, group.peakBytes, watch.takeSamples());
  }

  async #onLost(hold: Hold): Promise<void> {
    const { session, waitMs, onStranded } = this.#options;
    if (!this.#holds.delete(hold) || this.#ended.signal.aborted) return;
    hold.watch.close();
    this.#note(hold);
    this.#leasesLost++;
    await session.detach(hold.group);
    this.#release(hold);
    try {
      await this.#add(waitMs);
    } catch (error) {
      if (this.#holds.size > 0 || this.#ended.signal.aborted) return;
      onStranded(error instanceof RaglineError && error.reason === "LEASE_REVOKED" ? error : this.#stranded(error));
    }
  }
}
