import { randomUUID } from "node:crypto";
import { RaglineError } from "@ragline/rpc";
import type {
  DeviceFallback,
  Lease,
  LeaseDeviceState,
  LeaseEvent,
  LeaseRequest,
  LeaseSource,
  LeaseSourceState,
  LeaseState,
} from "./lease.js";
import { DeviceLedger, type LeaseDevice } from "./lease-device.js";
import { type Waiter, WaitingLine } from "./waiting-line.js";

// Beyond these a priority says no more.
const maxPriority = 100;
// A holder samples every 250 ms or so; it has until then to use less.
const maxReportsAbove = 20;

/** How a {@link LeaseBroker} grants. */
export interface LeaseBrokerOptions {
  readonly devices: readonly LeaseDevice[];
  /** Devices that were asked for and are not there, which holders are told. @default none */
  readonly fallbacks?: readonly DeviceFallback[];
  /** One lease at a time on each device, so that a model has it for itself. @default true */
  readonly exclusive?: boolean;
  /** Most requests that wait for one device; the next is refused at once. @default 64 */
  readonly maxWaiting?: number;
  /** How many of the latest events are kept. @default 1000 */
  readonly maxEvents?: number;
  /** Fencing tokens are greater than this, so that a broker that is started again grants none twice. @default 0 */
  readonly firstToken?: number;
}

/** A lease that is held. */
interface Held {
  readonly device: DeviceLedger;
  readonly revocation: AbortController;
  readonly state: () => LeaseState;
}

/**
 * Grants memory on devices so that the sum of leases never passes a device's cap. Higher priority first, then first
 * come, first served, by whichever suitable device has room first.
 */
export class LeaseBroker implements LeaseSource {
  readonly #devices: readonly DeviceLedger[];
  readonly #line = new WaitingLine();
  readonly #fallbacks: readonly DeviceFallback[];
  readonly #maxWaiting: number;
  readonly #maxEvents: number;
  readonly #events: LeaseEvent[] = [];
  readonly #held = new Map<string, Held>();
  #lastToken: number;

  constructor(options: LeaseBrokerOptions) {
    if (options.devices.length === 0) throw new Error("a lease broker needs at least one device");
    this.#devices = options.devices.map((device) => new DeviceLedger(device, options.exclusive ?? true));
    this.#fallbacks = options.fallbacks ?? [];
    this.#maxWaiting = options.maxWaiting ?? 64;
    this.#maxEvents = options.maxEvents ?? 1000;
    this.#lastToken = options.firstToken ?? 0;
  }

  /** The latest events, oldest first. */
  get events(): readonly LeaseEvent[] {
    return this.#events;
  }

  /** Every device with its cap and what is granted of it. */
  get devices(): readonly LeaseDeviceState[] {
    return this.#devices.map((device) => {
      const { name, kind, hardware, capBytes, softLimitBytes, grantedBytes } = device;
      const waiting = this.#line.waitingAt(device);
      const held = [...this.#held.values()].filter((each) => each.device === device);
      const leases = held.map(({ state }) => state());
      return { name, kind, hardware, capBytes, softLimitBytes, grantedBytes, waiting, leases };
    });
  }

  async describe(): Promise<LeaseSourceState> {
    return { devices: this.devices, fallbacks: this.#fallbacks };
  }

  /** Asks the holder of a lease to stop; its bytes stay granted until it releases them. */
  revoke(leaseId: string, reason: string): void {
    this.#held.get(leaseId)?.revocation.abort(new RaglineError("ABORTED", "LEASE_REVOKED", reason));
  }

  acquire(request: LeaseRequest): Promise<Lease> {
    return new Promise((resolve, reject) => {
      const devices = this.#suitable(request);
      const home = this.#home(devices, request.bytes);
      const id = randomUUID();
      const startedAt = performance.now();
      const { signal, onQueued, waitMs, priority = 0 } = request;
      let queued = false;
      let timer: NodeJS.Timeout | undefined;
      const waiter: Waiter = {
        bytes: request.bytes,
        devices,
        home,
        priority: Math.max(-maxPriority, Math.min(maxPriority, priority)),
        grant: (device) => {
          clearTimeout(timer);
          signal?.removeEventListener("abort", giveUp);
          resolve(this.#grant(id, request, device, performance.now() - startedAt));
        },
        moved: (position) => {
          if (!queued) this.#record("queued", id, request, home);
          queued = true;
          onQueued?.(position);
        },
      };
      const leave = (error: RaglineError) => {
        clearTimeout(timer);
        signal?.removeEventListener("abort", giveUp);
        this.#line.leave(waiter);
        if (queued) this.#record("abandoned", id, request, home);
        reject(error);
      };
      const giveUp = () => {
        const message = `stopped waiting for a lease on ${home.name} for ${request.model}`;
        leave(new RaglineError("CANCELLED", "CANCELLED", message, { cause: signal?.reason }));
      };
      const timeOut = () => {
        const message = `no lease on ${home.name} for ${request.model} within ${waitMs} ms; wait longer, or for the others to end`;
        leave(new RaglineError("DEADLINE_EXCEEDED", "LEASE_TIMEOUT", message));
      };
      if (signal?.aborted) {
        giveUp();
        return;
      }
      if (waitMs === 0 && !this.#line.firstFree(devices, request.bytes)) {
        timeOut();
        return;
      }
      signal?.addEventListener("abort", giveUp, { once: true });
      if (waitMs !== undefined && waitMs > 0) timer = setTimeout(timeOut, waitMs);
      this.#line.enqueue(waiter);
    });
  }

  /** The devices that can grant a request. Throws where none ever could. */
  #suitable({ bytes, model, deviceKind, exceptDevices = [] }: LeaseRequest): readonly DeviceLedger[] {
    if (!Number.isSafeInteger(bytes) || bytes < 0) {
      throw new RaglineError(
        "INVALID_ARGUMENT",
        "LEASE_BYTES_INVALID",
        `a lease of ${bytes} bytes cannot be asked for`,
      );
    }
    const kind = this.#devices.some((device) => device.kind === deviceKind) ? deviceKind : this.#devices[0]?.kind;
    const suitable = this.#devices.filter((device) => device.kind === kind && !exceptDevices.includes(device.name));
    if (suitable.length === 0) {
      const message = `there is no further device of kind ${kind} for ${model}`;
      throw new RaglineError("FAILED_PRECONDITION", "LEASE_NO_DEVICE", message);
    }
    const able = suitable.filter(({ capBytes }) => bytes <= capBytes);
    if (able.length === 0) {
      const caps = suitable.map(({ name, capBytes }) => `${name} ${capBytes}`).join(", ");
      const message = `${model} needs ${bytes} bytes, above the cap of every device (${caps}); use fewer workers, a smaller batch or a higher cap`;
      throw new RaglineError("FAILED_PRECONDITION", "LEASE_ABOVE_CAP", message);
    }
    return able;
  }

  /** Where to wait: a device that is free, or else the one where the fewest do. Throws where too many wait already. */
  #home(devices: readonly DeviceLedger[], bytes: number): DeviceLedger {
    const free = this.#line.firstFree(devices, bytes);
    if (free) return free;
    const counts = devices.map((device) => ({ device, waiting: this.#line.waitingAt(device) }));
    const { device, waiting } = counts.reduce((least, each) => (each.waiting < least.waiting ? each : least));
    if (waiting >= this.#maxWaiting) {
      const message = `${waiting} requests already wait for ${device.name}; try again later`;
      throw new RaglineError("RESOURCE_EXHAUSTED", "LEASE_QUEUE_FULL", message);
    }
    return device;
  }

  #grant(id: string, request: LeaseRequest, device: DeviceLedger, waitMs: number): Lease {
    const revocation = new AbortController();
    this.#lastToken += 1;
    const fencingToken = this.#lastToken;
    const { stage, model } = request;
    const grantedAt = performance.now();
    let { bytes } = request;
    let usedBytes = 0;
    let peakBytes = 0;
    let reportsAbove = 0;
    const listeners: ((bytes: number, reason: string) => void)[] = [];
    const heldMs = () => performance.now() - grantedAt;
    const state = () => ({ id, fencingToken, stage, model, grantedBytes: bytes, usedBytes, heldMs: heldMs() });
    this.#held.set(id, { device, revocation, state });
    const record = (kind: LeaseEvent["kind"], more: Pick<LeaseEvent, "waitMs" | "peakBytes" | "reason"> = {}) =>
      this.#record(kind, id, { ...request, bytes }, device, more);
    record("granted", { waitMs });
    revocation.signal.addEventListener("abort", () => record("revoked"), { once: true });
    const askToShrink = () => {
      const reason = `the holder uses ${usedBytes} bytes of ${bytes} that it was granted`;
      if (++reportsAbove >= maxReportsAbove) {
        this.revoke(id, reason);
        return;
      }
      record("shrink", { reason });
      for (const listener of listeners) listener(bytes, reason);
    };
    return {
      id,
      fencingToken,
      device: device.name,
      deviceKind: device.kind,
      deviceOptions: device.options,
      deviceCapBytes: device.capBytes,
      softLimitBytes: device.softLimitBytes,
      get bytes() {
        return bytes;
      },
      waitMs,
      revoked: revocation.signal,
      onShrink: (listener) => void listeners.push(listener),
      shrunk: (to) => {
        if (!this.#held.has(id) || !(to >= 0 && to < bytes)) return;
        const freed = bytes - to;
        bytes = to;
        record("shrunk");
        device.shrink(freed);
        this.#line.roomMade();
      },
      reportUsage: (used) => {
        if (!this.#held.has(id)) return;
        usedBytes = used;
        peakBytes = Math.max(peakBytes, used);
        if (used > bytes) askToShrink();
        else reportsAbove = 0;
      },
      release: () => {
        if (!this.#held.delete(id)) return;
        record("released", { peakBytes });
        device.free(bytes);
        this.#line.roomMade();
      },
    };
  }

  #record(
    kind: LeaseEvent["kind"],
    leaseId: string,
    { stage, model, bytes }: LeaseRequest,
    device: DeviceLedger,
    more: Pick<LeaseEvent, "waitMs" | "peakBytes" | "reason"> = {},
  ): void {
    this.#events.push({ kind, leaseId, stage, model, device: device.name, bytes, atMs: Date.now(), ...more });
    if (this.#events.length > this.#maxEvents) this.#events.shift();
  }
}
