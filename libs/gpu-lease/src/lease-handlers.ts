import { Readable } from "node:stream";
import type { HoldRequest, LeaseService } from "@ragline/contracts";
import { type Handlers, RaglineError } from "@ragline/rpc";
import type { Lease, LeaseSource } from "./lease.js";
import { fromStage } from "./stage-names.js";

type HoldReply = ReturnType<Handlers<typeof LeaseService>["hold"]> extends AsyncIterable<infer Reply> ? Reply : never;

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
      const { stage, model, bytes } = kind.value;
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
          signal: ended.signal,
          onQueued: (position) => reply({ kind: { case: "queued", value: { position } } }),
        })
        .then((granted) => {
          lease = granted;
          if (ended.signal.aborted) granted.release();
          const { id: leaseId, fencingToken, device } = granted;
          const value = { leaseId, fencingToken: BigInt(fencingToken), device, bytes: BigInt(granted.bytes) };
          reply({ kind: { case: "granted", value } });
          granted.revoked.addEventListener("abort", () => {
            const reason = String((granted.revoked.reason as Error).message);
            reply({ kind: { case: "revoked", value: { reason } } });
          });
        });
      granting.catch((error: Error) => {
        if (!ended.signal.aborted) replies.destroy(error);
      });
      const reading = readUntilRelease(incoming, (used) => lease?.reportUsage(used));
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
  };
}

async function readUntilRelease(incoming: AsyncIterator<HoldRequest>, onUsage: (bytes: number) => void): Promise<void> {
  for (let step = await incoming.next(); !step.done; step = await incoming.next()) {
    const { kind } = step.value;
    if (kind.case === "release") return;
    if (kind.case === "usage") onUsage(Number(kind.value.bytes));
  }
}
