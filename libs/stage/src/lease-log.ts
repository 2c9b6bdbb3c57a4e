import type { MessageInitShape } from "@bufbuild/protobuf";
import { type DeviceUseSchema, LeaseEvent_Kind, type LeaseEventSchema } from "@ragline/contracts";
import type { Lease } from "@ragline/gpu-lease";

type LeaseEvent = MessageInitShape<typeof LeaseEventSchema>;

/** What a device has seen. */
interface Use {
  readonly kind: string;
  readonly grantedBytes: number;
  readonly capBytes: number;
  readonly softLimitBytes: number;
  leases: number;
  waitSeconds: number;
  peakBytes: number;
  samples: number;
  softLimitCrossings: number;
}

const keptEvents = 200;

/** What happened to the leases of a session, and to the devices that they were of. */
export class LeaseLog {
  readonly #uses = new Map<string, Use>();
  readonly #events: LeaseEvent[] = [];

  /** What each device that was leased has seen. */
  get devices(): MessageInitShape<typeof DeviceUseSchema>[] {
    return [...this.#uses].map(([device, use]) => ({
      device,
      kind: use.kind,
      leases: use.leases,
      waitSeconds: use.waitSeconds,
      grantedBytes: BigInt(use.grantedBytes),
      capBytes: BigInt(use.capBytes),
      softLimitBytes: BigInt(use.softLimitBytes),
      peakBytes: BigInt(Math.round(use.peakBytes)),
      samples: BigInt(use.samples),
      softLimitCrossings: BigInt(use.softLimitCrossings),
    }));
  }

  /** The latest 200 events, oldest first. */
  get events(): readonly LeaseEvent[] {
    return this.#events;
  }

  /** How often workers came near to what was granted, on any device. */
  get softLimitCrossings(): number {
    return [...this.#uses.values()].reduce((sum, use) => sum + use.softLimitCrossings, 0);
  }

  /** Notes a lease, and its end if it is revoked. */
  granted(lease: Lease): void {
    const { device, deviceKind: kind, bytes: grantedBytes, deviceCapBytes: capBytes, softLimitBytes, revoked } = lease;
    const waitSeconds = lease.waitMs / 1000;
    const known = this.#uses.get(device);
    this.#uses.set(device, {
      kind,
      grantedBytes,
      capBytes,
      softLimitBytes,
      leases: (known?.leases ?? 0) + 1,
      waitSeconds: (known?.waitSeconds ?? 0) + waitSeconds,
      peakBytes: known?.peakBytes ?? 0,
      samples: known?.samples ?? 0,
      softLimitCrossings: known?.softLimitCrossings ?? 0,
    });
    this.record(LeaseEvent_Kind.GRANTED, lease, { waitSeconds });
    const onRevoked = (): void =>
      this.record(LeaseEvent_Kind.REVOKED, lease, { reason: String((revoked.reason as Error).message) });
    revoked.addEventListener("abort", onRevoked, { once: true });
  }

  /** Notes that workers came near to what was granted. */
  crossed({ device }: Lease): void {
    const use = this.#uses.get(device);
    if (use) use.softLimitCrossings++;
  }

  /** Notes the most bytes that the workers of a lease used so far, and how often that was measured since the last note. */
  measured({ device }: Lease, peakBytes: number, samples: number): void {
    const use = this.#uses.get(device);
    if (!use) return;
    use.peakBytes = Math.max(use.peakBytes, peakBytes);
    use.samples += samples;
  }

  /** Notes an event. */
  record(
    kind: LeaseEvent_Kind,
    { id, fencingToken, device, bytes }: Lease,
    more: Pick<LeaseEvent, "waitSeconds" | "peakBytes" | "reason"> = {},
  ): void {
    const event = { kind, leaseId: id, fencingToken: BigInt(fencingToken), device, bytes: BigInt(bytes) };
    this.#events.push({ ...event, atMs: Date.now(), ...more });
    if (this.#events.length > keptEvents) this.#events.shift();
  }
}
