import { randomUUID } from "node:crypto";
import { RaglineError } from "@ragline/rpc";
import type { Lease, LeaseEvent, LeaseRequest, LeaseSource } from "./lease.js";
import { DeviceLedger, type LeaseDevice, type Waiter } from "./lease-device.js";

/** How a {@link LeaseBroker} grants. */
export interface LeaseBrokerOptions {
  readonly devices: readonly LeaseDevice[];
  /** One lease at a time on each device, so that a model has it for itself. @default true */
  readonly exclusive?: boolean;
  /** Most requests that wait for one device; the next is refused at once. @default 64 */
  readonly maxWaiting?: number;
  /** How many of the latest events are kept. @default 1000 */
  readonly maxEvents?: number;
}

/** One device as the broker sees it now. */
export interface LeaseDeviceState {
  readonly name: string;
  readonly capBytes: number;
  readonly grantedBytes: number;
  readonly waiting: number;
}

/**
 * Grants memory on devices so that the sum of leases never passes a device's cap. First come, first served per device;
 * a request goes to a device that can grant it at once, or else to the one where the fewest wait.
 */
export class LeaseBroker implements LeaseSource {
  readonly #devices: readonly DeviceLedger[];
  readonly #maxWaiting: number;
  readonly #maxEvents: number;
  readonly #events: LeaseEvent[] = [];
  readonly #revocations = new Map<string, AbortController>();
  #lastToken = 0;

  constructor(options: LeaseBrokerOptions) {
    if (options.devices.length === 0) throw new Error("a lease broker needs at least one device");
    this.#devices = options.devices.map((device) => new DeviceLedger(device, options.exclusive ?? true));
    this.#maxWaiting = options.maxWaiting ?? 64;
    this.#maxEvents = options.maxEvents ?? 1000;
  }

  /** The latest events, oldest first. */
  get events(): readonly LeaseEvent[] {
    return this.#events;
  }

  /** Every device with its cap and what is granted of it. */
  get devices(): readonly LeaseDeviceState[] {
    return this.#devices.map(({ name, capBytes, grantedBytes, waiting }) => ({
      name,
      capBytes,
      grantedBytes,
      waiting,
    }));
  }

  /** Asks the holder of a lease to stop; its bytes stay granted until it releases them. */
  revoke(leaseId: string, reason: string): void {
    this.#revocations.get(leaseId)?.abort(new RaglineError("ABORTED", "LEASE_REVOKED", reason));
  }

  acquire(request: LeaseRequest): Promise<Lease> {
    return new Promise((resolve, reject) => {
      const device = this.#choose(request);
      const id = randomUUID();
      const startedAt = performance.now();
      const { signal, onQueued } = request;
      let queued = false;
      const waiter: Waiter = {
        bytes: request.bytes,
        grant: () => {
          signal?.removeEventListener("abort", giveUp);
          resolve(this.#grant(id, request, device, performance.now() - startedAt));
        },
        moved: (position) => {
          if (!queued) this.#record("queued", id, request, device);
          queued = true;
          onQueued?.(position);
        },
      };
      const giveUp = () => {
        device.leave(waiter);
        if (queued) this.#record("abandoned", id, request, device);
        const message = `stopped waiting for a lease on ${device.name} for ${request.model}`;
        reject(new RaglineError("CANCELLED", "CANCELLED", message, { cause: signal?.reason }));
      };
      if (signal?.aborted) {
        giveUp();
        return;
      }
      signal?.addEventListener("abort", giveUp, { once: true });
      device.enqueue(waiter);
    });
  }

  /** The device to wait for. Throws where none could ever grant the request, or where too many wait already. */
  #choose({ bytes, model }: LeaseRequest): DeviceLedger {
    if (!Number.isSafeInteger(bytes) || bytes < 0) {
      throw new RaglineError(
        "INVALID_ARGUMENT",
        "LEASE_BYTES_INVALID",
        `a lease of ${bytes} bytes cannot be asked for`,
      );
    }
    const able = this.#devices.filter(({ capBytes }) => bytes <= capBytes);
    if (able.length === 0) {
      const caps = this.#devices.map(({ name, capBytes }) => `${name} ${capBytes}`).join(", ");
      const message = `${model} needs ${bytes} bytes, above the cap of every device (${caps}); use fewer workers, a smaller batch or a higher cap`;
      throw new RaglineError("FAILED_PRECONDITION", "LEASE_ABOVE_CAP", message);
    }
    const free = able.find((device) => device.hasRoomFor(bytes));
    const best = free ?? able.reduce((least, device) => (device.waiting < least.waiting ? device : least));
    if (best.waiting >= this.#maxWaiting) {
      const message = `${best.waiting} requests already wait for ${best.name}; try again later`;
      throw new RaglineError("RESOURCE_EXHAUSTED", "LEASE_QUEUE_FULL", message);
    }
    return best;
  }

  #grant(id: string, request: LeaseRequest, device: DeviceLedger, waitMs: number): Lease {
    const revocation = new AbortController();
    this.#revocations.set(id, revocation);
    this.#lastToken += 1;
    this.#record("granted", id, request, device, { waitMs });
    let peakBytes = 0;
    revocation.signal.addEventListener("abort", () => this.#record("revoked", id, request, device), { once: true });
    return {
      id,
      fencingToken: this.#lastToken,
      device: device.name,
      bytes: request.bytes,
      waitMs,
      revoked: revocation.signal,
      reportUsage: (bytes) => {
        peakBytes = Math.max(peakBytes, bytes);
      },
      release: () => {
        if (!this.#revocations.delete(id)) return;
        this.#record("released", id, request, device, { peakBytes });
        device.free(request.bytes);
      },
    };
  }

  #record(
    kind: LeaseEvent["kind"],
    leaseId: string,
    { stage, model, bytes }: LeaseRequest,
    device: DeviceLedger,
    more: Pick<LeaseEvent, "waitMs" | "peakBytes"> = {},
  ): void {
    this.#events.push({ kind, leaseId, stage, model, device: device.name, bytes, atMs: Date.now(), ...more });
    if (this.#events.length > this.#maxEvents) this.#events.shift();
  }
}
