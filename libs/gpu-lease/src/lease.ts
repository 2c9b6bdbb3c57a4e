/** A stage that computes on a device. */
export type LeaseStage = "dense" | "sparse" | "rerank";

/** What a device is; `simulated` is a ledger without hardware, for tests. */
export type DeviceKind = "cpu" | "cuda" | "simulated";

/** What a holder asks for. */
export interface LeaseRequest {
  readonly stage: LeaseStage;
  /** Registry key of the model. */
  readonly model: string;
  /** Most bytes that the holder will use on the device. */
  readonly bytes: number;
  /** Higher goes first, within -100 to 100; each time a waiter is overtaken it rises by 1, so none waits for ever. @default 0 */
  readonly priority?: number;
  /** Most milliseconds to wait; 0 asks only whether it can be granted at once. @default until the signal aborts */
  readonly waitMs?: number;
  /** Waits for a device of this kind if there is one. @default the kind of the broker's first device */
  readonly deviceKind?: DeviceKind;
  /** Names of devices that will not do, because the holder has a lease there already. @default none */
  readonly exceptDevices?: readonly string[];
  /** Gives up waiting when it aborts; after the grant it means nothing, `release` ends the lease. @default none */
  readonly signal?: AbortSignal;
  /** Told how many wait ahead, each time that changes. @default ignored */
  readonly onQueued?: (position: number) => void;
}

/** Memory on a device, held until `release`. */
export interface Lease {
  readonly id: string;
  /** Greater than that of every lease the broker granted before; whoever guards a resource refuses an older one. */
  readonly fencingToken: number;
  /** Name of the device, such as "cpu:0". */
  readonly device: string;
  readonly deviceKind: DeviceKind;
  /** What a worker needs to know of its device, such as the index of a GPU; the broker passes it on unread. */
  readonly deviceOptions: Readonly<Record<string, unknown>>;
  /** Most bytes that all leases on the device may have together. */
  readonly deviceCapBytes: number;
  /** Above this the device is nearly full: its holders use less. */
  readonly softLimitBytes: number;
  /** What is granted now: less than at first once `shrunk` was called. */
  readonly bytes: number;
  /** How long the grant was waited for, in milliseconds. */
  readonly waitMs: number;
  /** Aborts when the broker takes the lease back or is lost: stop using the device, then release. */
  readonly revoked: AbortSignal;
  /**
   * Calls back each time the broker asks the holder to use no more than `bytes`: do so, then say `shrunk`. A holder
   * that does not, and is found above it again and again, is revoked.
   */
  onShrink(listener: (bytes: number, reason: string) => void): void;
  /** Gives a part of the grant back: `bytes` is what the holder will use at most from now on. */
  shrunk(bytes: number): void;
  /** Tells the broker how many bytes are in use now, as measured. */
  reportUsage(bytes: number): void;
  /** Gives the lease back; a second call does nothing. */
  release(): void;
}

/** One device as a broker sees it now. */
export interface LeaseDeviceState {
  readonly name: string;
  readonly kind: DeviceKind;
  /** What it is, such as "NVIDIA T4"; empty where that says nothing. */
  readonly hardware: string;
  readonly capBytes: number;
  /** Above this it is nearly full. */
  readonly softLimitBytes: number;
  readonly grantedBytes: number;
  readonly waiting: number;
  readonly leases: readonly LeaseState[];
}

/** One lease as a broker sees it now. */
export interface LeaseState {
  readonly id: string;
  readonly fencingToken: number;
  readonly stage: LeaseStage;
  readonly model: string;
  readonly grantedBytes: number;
  /** What its holder reported last. */
  readonly usedBytes: number;
  readonly heldMs: number;
}

/** Who asked for a device. */
export type DeviceSource = "runtime" | "cli" | "env" | "config" | "default";

/** A device that was asked for and is not there. */
export interface DeviceFallback {
  /** As it was asked for, such as "cuda:3". */
  readonly requested: string;
  /** What computes instead, such as "cpu:0". */
  readonly resolved: string;
  readonly source: DeviceSource;
  /** What is missing and what to do. */
  readonly detail: string;
  /** Whether it was asked for by name: what `auto` would have taken if it could is only noted. */
  readonly degraded: boolean;
}

/** What a source grants. */
export interface LeaseSourceState {
  /** One at least; a request that names no kind gets that of the first. */
  readonly devices: readonly LeaseDeviceState[];
  /** Devices that were asked of it and are not there. */
  readonly fallbacks: readonly DeviceFallback[];
}

/** Whatever grants leases: a broker in this process, or one behind an address. */
export interface LeaseSource {
  /**
   * The devices as they are now.
   * @throws RaglineError UNAVAILABLE when the broker is gone
   */
  describe(signal?: AbortSignal): Promise<LeaseSourceState>;

  /**
   * Waits in line for a device and resolves with the lease.
   * @throws RaglineError FAILED_PRECONDITION LEASE_ABOVE_CAP at once where no device could ever grant so much,
   * RESOURCE_EXHAUSTED LEASE_QUEUE_FULL (with the time to retry after), DEADLINE_EXCEEDED LEASE_TIMEOUT after `waitMs`,
   * CANCELLED when the signal aborts, UNAVAILABLE when the broker is gone
   */
  acquire(request: LeaseRequest): Promise<Lease>;
}

/** One thing that happened to a lease, for the manifest. */
export interface LeaseEvent {
  readonly kind: "queued" | "granted" | "shrink" | "shrunk" | "revoked" | "released" | "abandoned";
  readonly leaseId: string;
  readonly stage: LeaseStage;
  readonly model: string;
  readonly device: string;
  readonly bytes: number;
  /** When, in milliseconds since the epoch. */
  readonly atMs: number;
  /** Of a grant: how long it was waited for. */
  readonly waitMs?: number;
  /** Of a release: the most bytes that the holder reported. */
  readonly peakBytes?: number;
  /** Of a shrink or a revocation: why. */
  readonly reason?: string;
}
