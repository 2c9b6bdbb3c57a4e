import type { StageReady } from "@ragline/contracts";
import { RaglineError } from "@ragline/rpc";
import type { StageReply } from "./model-stream.js";
import type { RetryPolicy } from "./retry-policy.js";

/** One of the services that do the same work. */
export interface Replica<Batch> {
  /** "host:port" or "unix:/path". */
  readonly address: string;
  /** Opens a stream, anew after each loss: `ready`, one result for each batch in order, and `summary` after the last. */
  open(batches: AsyncIterable<Batch>, signal: AbortSignal): Promise<AsyncIterable<StageReply>>;
  /** Whether it is a child of ours that has died, so that `open` starts it again. */
  hasDied(): Promise<boolean>;
}

/** What a lane tells and asks those who give it work. */
export interface LaneOwner<Batch, Result> {
  readonly retry: RetryPolicy;
  /** Throws when the replica is not one that the others' results fit to. */
  admit(ready: StageReady, address: string): void;
  /** Throws when the result is not one of this batch. */
  check(batch: Batch, result: Result): void;
  /** Something has changed. */
  changed(): void;
}

/** What became of a replica. */
export interface ReplicaReport {
  readonly address: string;
  /** How often its stream failed. */
  readonly losses: number;
  /** How often its process, a child of ours, was started again. */
  readonly restarts: number;
  /** Batches that it owed when it was lost, or that others computed because it was slow. */
  readonly passedOn: number;
  readonly lastError: unknown;
}

/** The error of work whose replicas are all lost: the last failure of a single one, or one that names them all. */
export function allLost(reports: readonly ReplicaReport[]): unknown {
  const last = reports.findLast(({ lastError }) => lastError !== undefined)?.lastError;
  if (reports.length === 1 || !(last instanceof RaglineError)) return last;
  const addresses = reports.map(({ address }) => address).join(", ");
  const message = `all ${reports.length} replicas (${addresses}) are lost; the last said: ${last.message}`;
  return new RaglineError(last.codeName, last.reason, message, { cause: last });
}
