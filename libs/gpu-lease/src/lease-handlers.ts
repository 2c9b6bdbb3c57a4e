import { Readable } from "node:stream";
import { type HoldRequest, type LeaseService, OutcomeReason } from "@ragline/contracts";
import { type Handlers, RaglineError } from "@ragline/rpc";
import type { DeviceKind, Lease, LeaseSource } from "./lease.js";
import { toOutcomeSource } from "./outcome-source.js";
import { fromStage, toStage } from "./stage-names.js";

type HoldReply = ReturnType<Handlers<typeof LeaseService>["hold"]> extends AsyncIterable<infer Reply> ? Reply : never;

/**
 * Channel options of a server of leases: a holder that is frozen, or on the other side of a cut cable, answers no ping
 * and loses its leases after 20 to 25 s. Its workers have ended by then, since they heard nothing of it for 15 s.
 */
export const holderKeepalive = { "grpc.keepalive_time_ms": 5000, "grpc.keepalive_timeout_ms": 20_000 } as const;

/**
 * The `Hold` rpc over a source of leases. However the stream ends (release, half-close, cancel, a dead process),
 * the lease is given back, or the place in the line.
 */
export function leaseHandlers(source: LeaseSource): Handlers<typeof LeaseService> {
  return {
    async *hold(requests, { signal }) {
      const incoming = requests[Symbol.asyncIterator]();
      const first = await incoming.next();
      const kind = first.done ? undefined : first.value.kind;
      if (kind?.case !== "acquire") {
        throw new RaglineError("INVALID_ARGUMENT", "LEASE_NOT_ASKED", "the first message must say what to acquire");
      }
      const { stage, model, bytes, priority, waitMs, deviceKind, exceptDevices } = kind.value;
      const ended = new AbortController();
      const end = () => ended.abort();
      signal.addEventListener("abort", end, { once: true });

      const replies = new Readable({ objectMode: true, read() {} });
      const reply = (message: HoldReply) => {
        if (!ended.signal.aborted) replies.push(message);
      };
      let lease: Lease | undefined;
      const granting = source
        .acquire({
          stage: fromStage(stage),
          model,
          bytes: Number(bytes),
          priority,
          exceptDevices,
          ...(waitMs === undefined ? {} : { waitMs }),
          ...(deviceKind === "" ? {} : { deviceKind: deviceKind as DeviceKind }),
          signal: ended.signal,
          onQueued: (position) => reply({ kind: { case: "queued", value: { position } } }),
        })
        .then((granted) => {
          lease = granted;
          if (ended.signal.aborted) granted.release();
          const { id: leaseId, fencingToken, device } = granted;
          const { deviceKind: grantedKind, deviceOptions } = granted;
          const value = {
            leaseId,
            fencingToken: BigInt(fencingToken),
            device,
            bytes: BigInt(granted.bytes),
            deviceKind: grantedKind,
            deviceOptionsJson: JSON.stringify(deviceOptions),
            deviceCapBytes: BigInt(granted.deviceCapBytes),
            softLimitBytes: BigInt(granted.softLimitBytes),
          };
          reply({ kind: { case: "granted", value } });
          granted.onShrink((to, reason) => reply({ kind: { case: "shrink", value: { bytes: BigInt(to), reason } } }));
          granted.revoked.addEventListener("abort", () => {
            const reason = String((granted.revoked.reason as Error).message);
            reply({ kind: { case: "revoked", value: { reason } } });
          });
        });
      granting.catch((error: Error) => {
        if (!ended.signal.aborted) replies.destroy(error);
      });
      const reading = readUntilRelease(incoming, () => lease);
      reading.then(
        () => {
          end();
          replies.push(null);
        },
        (error: Error) => replies.destroy(error),
      );
      try {
        yield* replies;
      } finally {
        end();
        lease?.release();
        signal.removeEventListener("abort", end);
      }
    },

    listDevices: async () => {
      const { devices, fallbacks } = await source.describe();
      return {
        devices: devices.map(({ name, kind, hardware, capBytes, softLimitBytes, grantedBytes, waiting, leases }) => ({
          name,
          kind,
          hardware,
          capBytes: BigInt(capBytes),
          softLimitBytes: BigInt(softLimitBytes),
          grantedBytes: BigInt(grantedBytes),
          usedBytes: BigInt(leases.reduce((sum, { usedBytes }) => sum + Math.round(usedBytes), 0)),
          waiting,
          leases: leases.map((lease) => ({
            leaseId: lease.id,
            fencingToken: BigInt(lease.fencingToken),
            stage: toStage(lease.stage),
            model: lease.model,
            grantedBytes: BigInt(lease.grantedBytes),
            usedBytes: BigInt(Math.round(lease.usedBytes)),
            heldSeconds: lease.heldMs / 1000,
          })),
        })),
        fallbacks: fallbacks.map(({ requested, resolved, source: chosenBy, detail, degraded }) => ({
          requested,
          resolved,
          outcome: {
            reason: OutcomeReason.DEVICE_UNAVAILABLE,
            source: toOutcomeSource(chosenBy),
            detail,
            degraded,
            count: 1n,
          },
        })),
      };
    },
  };
}

/** Hands what the holder says to its lease, until it releases or ends the stream. */
async function readUntilRelease(incoming: AsyncIterator<HoldRequest>, lease: () => Lease | undefined): Promise<void> {
  for (let step = await incoming.next(); !step.done; step = await incoming.next()) {
    const { kind } = step.value;
    if (kind.case === "release") return;
    if (kind.case === "usage") lease()?.reportUsage(Number(kind.value.bytes));
    if (kind.case === "shrunk") lease()?.shrunk(Number(kind.value.bytes));
  }
}
