/** A stage that computes on a device. */
export type LeaseStage = "dense" | "sparse" | "rerank";

/** What a holder asks for. */
export interface LeaseRequest {
  readonly stage: LeaseStage;
  /** Registry key of the model. */
  readonly model: string;
  /** Most bytes that the holder will use on the device. */
  readonly bytes: number;
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
  readonly bytes: number;
  /** How long the grant was waited for, in milliseconds. */
  readonly waitMs: number;
  /** Aborts when the broker takes the lease back or is lost: stop using the device, then release. */
  readonly revoked: AbortSignal;
  /** Tells the broker how many bytes are in use now, as measured. */
  reportUsage(bytes: number): void;
  /** Gives the lease back; a second call does nothing. */
  release(): void;
}

/** Whatever grants leases: a broker in this process, or one behind an address. */
export interface LeaseSource {
  /**
   * Waits in line for a device and resolves with the lease.
   * @throws RaglineError FAILED_PRECONDITION LEASE_ABOVE_CAP at once where no device could ever grant so much,
   * RESOURCE_EXHAUSTED LEASE_QUEUE_FULL, CANCELLED when the signal aborts, UNAVAILABLE when the broker is gone
   */
  acquire(request: LeaseRequest): Promise<Lease>;
}

/** One thing that happened to a lease, for the manifest. */
export interface LeaseEvent {
  readonly kind: "queued" | "granted" | "released" | "abandoned" | "revoked";
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
}
