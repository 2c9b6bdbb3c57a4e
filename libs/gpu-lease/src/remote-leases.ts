import { Readable } from "node:stream";
import { type HoldResponse, LeaseService } from "@ragline/contracts";
import { type ClientOptions, createClient, RaglineError } from "@ragline/rpc";
import type { DeviceKind, Lease, LeaseRequest, LeaseSource, LeaseSourceState } from "./lease.js";
import { fromOutcomeSource } from "./outcome-source.js";
import { fromStage, toStage } from "./stage-names.js";
import { watchStandstill } from "./watch-standstill.js";

const maxUint32 = 2 ** 32 - 1;

// A holder that is cut off stops after 14 s, before the broker grants its device to another (see holderKeepalive). When a
// server drops a connection in good order, grpc-js tells the calls on it only once a ping cannot be sent.
const brokerKeepalive = { "grpc.keepalive_time_ms": 2000, "grpc.keepalive_timeout_ms": 12_000 } as const;

// After its workers have ended by themselves, before the broker grants the device to another.
const defaultStandstillMs = 18_000;

/** How leases are held. */
export interface RemoteLeasesOptions extends ClientOptions {
  /** Milliseconds that this process may stand still before it takes its leases for lost. @default 18000 */
  readonly standstillMs?: number;
}

type NamedOptions = ClientOptions & { readonly standstillMs: number };

/**
 * Leases from the broker behind an address. Each is one open stream: when this process dies, the broker has the lease
 * back; when the broker is lost, or this process stood still for so long that the broker may have taken the lease back,
 * `revoked` aborts.
 *
 * @param address "host:port" or "unix:/absolute/path" of a LeaseService
 */
export function remoteLeases(address: string, options: RemoteLeasesOptions = {}): LeaseSource {
  const channelOptions = { ...brokerKeepalive, ...options.channelOptions };
  const named = { name: "lease broker", standstillMs: defaultStandstillMs, ...options, channelOptions };
  return {
    acquire: (request) => acquire(address, named, request),
    describe: (signal) => describe(address, named, signal),
  };
}

const describeTimeoutMs = 10_000;

async function describe(address: string, options: ClientOptions, signal?: AbortSignal): Promise<LeaseSourceState> {
  const client = createClient(LeaseService, address, options);
  try {
    const { devices, fallbacks } = await client.listDevices(
      {},
      { deadlineMs: describeTimeoutMs, ...(signal ? { signal } : {}) },
    );
    return {
      devices: devices.map(({ name, kind, hardware, capBytes, softLimitBytes, grantedBytes, waiting, leases }) => ({
        name,
        kind: kind as DeviceKind,
        hardware,
        capBytes: Number(capBytes),
        softLimitBytes: Number(softLimitBytes),
        grantedBytes: Number(grantedBytes),
        waiting,
        leases: leases.map((lease) => ({
          id: lease.leaseId,
          fencingToken: Number(lease.fencingToken),
          stage: fromStage(lease.stage),
          model: lease.model,
          grantedBytes: Number(lease.grantedBytes),
          usedBytes: Number(lease.usedBytes),
          heldMs: lease.heldSeconds * 1000,
        })),
      })),
      fallbacks: fallbacks.map(({ requested, resolved, outcome }) => ({
        requested,
        resolved,
        source: fromOutcomeSource(outcome?.source),
        detail: outcome?.detail ?? "",
        degraded: outcome?.degraded ?? true,
      })),
    };
  } finally {
    client.close();
  }
}

async function acquire(address: string, options: NamedOptions, request: LeaseRequest): Promise<Lease> {
  const { stage, model, bytes, signal, onQueued, priority = 0, waitMs: most, deviceKind = "" } = request;
  const startedAt = performance.now();
  const client = createClient(LeaseService, address, options);
  const waiting = new AbortController();
  const giveUp = () => waiting.abort(signal?.reason);
  if (signal?.aborted) giveUp();
  signal?.addEventListener("abort", giveUp, { once: true });

  const requests = new Readable({ objectMode: true, read() {} });
  const acquireValue = {
    stage: toStage(stage),
    model,
    bytes: BigInt(bytes),
    priority,
    deviceKind,
    exceptDevices: [...(request.exceptDevices ?? [])],
    ...(most === undefined ? {} : { waitMs: Math.min(most, maxUint32) }),
  };
  requests.push({ kind: { case: "acquire", value: acquireValue } });
  const replies = client.hold(requests, { signal: waiting.signal });
  const end = () => {
    requests.push(null);
    client.close();
  };
  try {
    for (let step = await replies.next(); !step.done; step = await replies.next()) {
      const { kind } = step.value;
      if (kind.case === "queued") onQueued?.(kind.value.position);
      if (kind.case !== "granted") continue;
      const { leaseId: id, device } = kind.value;
      const waitMs = performance.now() - startedAt;
      return hold(replies, requests, end, options.standstillMs, {
        id,
        device,
        waitMs,
        bytes: Number(kind.value.bytes),
        fencingToken: Number(kind.value.fencingToken),
        deviceKind: kind.value.deviceKind as DeviceKind,
        deviceOptions: JSON.parse(kind.value.deviceOptionsJson || "{}") as Record<string, unknown>,
        deviceCapBytes: Number(kind.value.deviceCapBytes),
        softLimitBytes: Number(kind.value.softLimitBytes),
      });
    }
    throw new RaglineError(
      "UNAVAILABLE",
      "LEASE_NOT_GRANTED",
      `the lease broker at ${address} ended before it granted`,
    );
  } catch (error) {
    end();
    throw error;
  } finally {
    signal?.removeEventListener("abort", giveUp);
  }
}

/** The lease behind a stream on which the grant has been read. */
function hold(
  replies: AsyncIterableIterator<HoldResponse>,
  requests: Readable,
  end: () => void,
  standstillMs: number,
  granted: Omit<Lease, "revoked" | "onShrink" | "shrunk" | "reportUsage" | "release">,
): Lease {
  const revocation = new AbortController();
  const listeners: ((bytes: number, reason: string) => void)[] = [];
  let released = false;
  let { bytes: held } = granted;
  const watch = async () => {
    try {
      for await (const { kind } of replies) {
        if (kind.case === "shrink") {
          for (const listener of listeners) listener(Number(kind.value.bytes), kind.value.reason);
        } else if (kind.case === "revoked") {
          revocation.abort(new RaglineError("ABORTED", "LEASE_REVOKED", kind.value.reason));
        }
      }
      if (!released) throw new RaglineError("UNAVAILABLE", "LEASE_LOST", "the lease broker ended the lease");
    } catch (error) {
      if (!released) revocation.abort(error);
    }
  };
  void watch();
  const endWatch = watchStandstill(standstillMs, (stoodMs) => {
    const message = `this process stood still for ${Math.round(stoodMs / 1000)} s, so its lease may be another's now`;
    revocation.abort(new RaglineError("UNAVAILABLE", "LEASE_LOST", message));
  });
  return {
    ...granted,
    get bytes() {
      return held;
    },
    revoked: revocation.signal,
    onShrink: (listener) => void listeners.push(listener),
    shrunk: (bytes) => {
      if (released || !(bytes >= 0 && bytes < held)) return;
      held = bytes;
      requests.push({ kind: { case: "shrunk", value: { bytes: BigInt(Math.round(bytes)) } } });
    },
    reportUsage: (bytes) => {
      if (!released) requests.push({ kind: { case: "usage", value: { bytes: BigInt(Math.round(bytes)) } } });
    },
    release: () => {
      if (released) return;
      released = true;
      endWatch();
      requests.push({ kind: { case: "release", value: {} } });
      end();
    },
  };
}
