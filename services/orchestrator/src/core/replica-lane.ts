import { Readable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import type { StageReady, StageSummary } from "@ragline/contracts";
import { RaglineError, status } from "@ragline/rpc";
import type { Task } from "./order-window.js";
import type { LaneOwner, Replica, ReplicaReport } from "./replica.js";
import { isTransient, retryDelayMs, triesFor } from "./retry-policy.js";

type LaneTask<Batch, Result extends object> = Task<Batch, Result, ReplicaLane<Batch, Result>>;

// Enough for a service to fill the calls of every worker while the next batches are on their way.
const minOutstanding = 16;
const outstandingPerWorker = 4;

/** The stream to one replica: opened again after a loss, with a bounded number of batches that wait for an answer. */
export class ReplicaLane<Batch, Result extends object> {
  readonly owed: LaneTask<Batch, Result>[] = [];
  readonly summaries: StageSummary[] = [];
  /** Most batches that it may owe. */
  limit = minOutstanding;
  ready: StageReady | undefined;
  /** Whether its stream takes batches. */
  isOpen = false;
  /** Whether it has failed so often without an answer in between that it need not be waited for. */
  isExhausted = false;
  /** How often its batches were given to others as well, because it was slow. */
  overtaken = 0;
  readonly #replica: Replica<Batch>;
  readonly #owner: LaneOwner<Batch, Result>;
  readonly #end = new AbortController();
  readonly #signal: AbortSignal;
  #requests: Readable | undefined;
  #isFinishing = false;
  #lastError: unknown;
  #maxLimit = minOutstanding;
  #failures = 0;
  #losses = 0;
  #restarts = 0;
  #returned = 0;
  #answers = 0;
  #busyMs = 0;
  #busySince = 0;

  constructor(replica: Replica<Batch>, owner: LaneOwner<Batch, Result>, signal: AbortSignal) {
    this.#replica = replica;
    this.#owner = owner;
    this.#signal = AbortSignal.any([signal, this.#end.signal]);
  }

  get report(): ReplicaReport {
    return {
      address: this.#replica.address,
      losses: this.#losses,
      restarts: this.#restarts,
      passedOn: this.#returned + this.overtaken,
      lastError: this.#lastError,
    };
  }

  /** Mean milliseconds between two answers; undefined before the first. */
  get paceMs(): number | undefined {
    return this.#answers > 0 ? this.#busyMs / this.#answers : undefined;
  }

  /** Milliseconds that it will need for what it owes, as far as can be told. */
  get remainingMs(): number {
    return this.owed.length * Math.max(this.paceMs ?? 0, performance.now() - this.#busySince);
  }

  /** Gives it a batch. */
  give(task: LaneTask<Batch, Result>): void {
    if (this.owed.length === 0) this.#busySince = performance.now();
    task.holders.add(this);
    this.owed.push(task);
    this.#requests?.push(task.batch);
  }

  /** Ends its stream once all that it owes is answered; {@link run} ends then. */
  finish(): void {
    this.#isFinishing = true;
    this.#requests?.push(null);
  }

  /** Cancels its stream; {@link run} ends then. */
  cancel(): void {
    this.#end.abort();
  }

  /** Works until it is finished or cancelled. Throws what no other try can mend. */
  async run(): Promise<void> {
    while (!this.#signal.aborted) {
      try {
        return await this.#stream();
      } catch (error) {
        if (this.#signal.aborted) return;
        const waitMs = await this.#lose(error);
        if (this.#isFinishing) return;
        await sleep(waitMs, undefined, { signal: this.#signal }).catch(() => undefined);
      }
    }
  }

  async #stream(): Promise<void> {
    const requests = new Readable({ objectMode: true, read: () => undefined });
    let summary: StageSummary | undefined;
    try {
      for await (const { kind } of await this.#replica.open(requests, this.#signal)) {
        if (kind.case === "ready") this.#begin(kind.value as StageReady, requests);
        else if (kind.case === "summary") summary = kind.value as StageSummary;
        else if (kind.case !== undefined) this.#take(kind.value as Result);
      }
    } finally {
      this.isOpen = false;
      this.#requests = undefined;
      requests.destroy();
    }
    if (!summary || !this.#isFinishing || this.owed.length > 0) {
      const message = `the service at ${this.#replica.address} ended its stream with ${this.owed.length} batches unanswered; see its log`;
      throw new RaglineError("INTERNAL", "STREAM_CUT", message);
    }
    this.summaries.push(summary);
  }

  #begin(ready: StageReady, requests: Readable): void {
    this.#owner.admit(ready, this.#replica.address);
    if (!this.ready) this.limit = this.#maxLimit = Math.max(minOutstanding, outstandingPerWorker * ready.workers);
    this.ready = ready;
    this.#requests = requests;
    this.isOpen = true;
    this.#owner.changed();
  }

  #take(result: Result): void {
    const task = this.owed.shift();
    if (!task) {
      const message = `the service at ${this.#replica.address} sent a result for nothing that it was given; see its log`;
      throw new RaglineError("INTERNAL", "UNEXPECTED_RESULT", message);
    }
    this.#owner.check(task.batch, result);
    task.result ??= result;
    task.holders.delete(this);
    const now = performance.now();
    this.#busyMs += now - this.#busySince;
    this.#busySince = now;
    this.#answers++;
    this.limit = Math.min(this.#maxLimit, this.limit + 1 / this.limit);
    this.#failures = 0;
    this.isExhausted = false;
    this.#owner.changed();
  }

  /** Gives back what it owes. @returns milliseconds to wait before the next try. Throws what no other try can mend. */
  async #lose(error: unknown): Promise<number> {
    const hasDied = await this.#replica.hasDied();
    if (!hasDied && !isTransient(error)) throw error;
    this.#lastError = error;
    this.#losses++;
    this.#failures++;
    if (hasDied) this.#restarts++;
    for (const task of this.owed.splice(0)) {
      task.holders.delete(this);
      if (task.result === undefined) this.#returned++;
    }
    // One that refuses work is given less at once, and more again as it answers.
    if (error instanceof RaglineError && error.code === status.RESOURCE_EXHAUSTED)
      this.limit = Math.max(1, Math.floor(this.limit / 2));
    const { retry } = this.#owner;
    this.isExhausted = hasDied
      ? this.#failures > retry.restarts
      : this.#failures >= triesFor(error, this.ready !== undefined, retry);
    this.#owner.changed();
    // One that has died too often is not started once more before its owner has seen that.
    return hasDied && !this.isExhausted ? 0 : retryDelayMs(error, this.#failures, retry);
  }
}
