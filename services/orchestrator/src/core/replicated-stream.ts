import type { ItemFailure, StageReady } from "@ragline/contracts";
import { Bell } from "./bell.js";
import { mergeSummaries } from "./merge-summaries.js";
import type { ModelRun } from "./model-stream.js";
import { OrderWindow } from "./order-window.js";
import { allLost, type Replica, type ReplicaReport } from "./replica.js";
import { ReplicaLane } from "./replica-lane.js";
import { defaultRetryPolicy, type RetryPolicy } from "./retry-policy.js";
import { assertSameModel, type OpenedModel } from "./same-model.js";

/** What every result tells of items that have none. */
export interface StageResult {
  readonly failures: readonly ItemFailure[];
}

/** How {@link ReplicatedStream} works. */
export interface ReplicatedStreamOptions<Batch, Result extends StageResult> {
  /** One at least. */
  readonly replicas: readonly Replica<Batch>[];
  /** Read only as far as the replicas keep up. */
  readonly batches: AsyncIterable<Batch>;
  /** Items in a batch. */
  readonly itemsOf: (batch: Batch) => number;
  /** Throws when a result is not one of the batch. */
  readonly check: (batch: Batch, result: Result) => void;
  /** Told once of what computes, before the first result. */
  readonly onReady: (ready: StageReady) => void;
  /** Given each result once, in the order of the batches. */
  readonly onResult: (batch: Batch, result: Result) => Promise<void>;
  /** Stops all streams; `run` then throws its reason. */
  readonly signal: AbortSignal;
  /** @default defaultRetryPolicy */
  readonly retry?: RetryPolicy;
  /** Milliseconds of work that a replica may owe while others are idle. @default 250 */
  readonly slowAfterMs?: number;
}

type Window<Batch, Result extends object> = OrderWindow<Batch, Result, ReplicaLane<Batch, Result>>;

// Batches that are read and not handed on yet, for each that may be under way: so far may the others run ahead of one.
const windowFactor = 2;

// An idle replica computes a batch of another one as well, if that one needs so many times longer for all that it owes
// than the idle one for one batch.
const slownessFactor = 3;
const defaultSlowAfterMs = 250;
const unknownPaceMs = 1000;
const minRecheckMs = 20;

// With several replicas, how long one may take to end its stream once everything is answered.
const endTimeoutMs = 10_000;

/**
 * Work that is spread over the replicas of a stage, with results in order. Each batch goes to the replica that owes the
 * fewest for its size; those of a replica that is lost, refuses work or falls behind go to the others, and a lost one is
 * tried again. Every replica gives the same results, so the order of events does not show in them.
 */
export class ReplicatedStream<Batch, Result extends StageResult> {
  readonly #options: ReplicatedStreamOptions<Batch, Result>;
  readonly #end = new AbortController();
  readonly #lanes: readonly ReplicaLane<Batch, Result>[];
  readonly #bell = new Bell();
  #reference: OpenedModel | undefined;
  #failure: { readonly error: unknown } | undefined;
  #recheck: NodeJS.Timeout | undefined;
  #startedAt: number | undefined;
  readonly #delivered = { items: 0, failed: 0, seconds: 0 };

  constructor(options: ReplicatedStreamOptions<Batch, Result>) {
    this.#options = options;
    const owner = {
      retry: options.retry ?? defaultRetryPolicy,
      admit: (ready: StageReady, address: string) => this.#admit({ ready, address }),
      check: options.check,
      changed: () => this.#bell.ring(),
    };
    this.#lanes = options.replicas.map((replica) => new ReplicaLane(replica, owner, this.#end.signal));
  }

  /** What became of each replica so far. */
  get reports(): readonly ReplicaReport[] {
    return this.#lanes.map(({ report }) => report);
  }

  /**
   * Works until every result was handed on. To be called once.
   * @throws RaglineError what no other replica and no other try could mend, or the last failure when all replicas are lost.
   */
  async run(): Promise<ModelRun> {
    const { batches, signal } = this.#options;
    const window: Window<Batch, Result> = new OrderWindow(batches[Symbol.asyncIterator](), () => this.#bell.ring());
    const stop = () => {
      this.#end.abort();
      this.#bell.ring();
    };
    signal.addEventListener("abort", stop, { once: true });
    try {
      signal.throwIfAborted();
      const running = this.#lanes.map((lane) => lane.run().catch((error: unknown) => this.#fail(error)));
      await this.#work(window);
      await this.#finish(running);
      this.#assertGoing();
      // Every stream that was open has told what it opened: the first of the list speaks for all.
      const [ready] = this.#lanes.flatMap((lane) => lane.ready ?? []);
      const summaries = this.#lanes.flatMap((lane) => lane.summaries);
      return { ready: ready as StageReady, summary: mergeSummaries(summaries, this.#delivered) };
    } finally {
      signal.removeEventListener("abort", stop);
      clearTimeout(this.#recheck);
      this.#end.abort();
      await window.close();
    }
  }

  async #work(window: Window<Batch, Result>): Promise<void> {
    for (;;) {
      this.#assertGoing();
      for (let next = window.shift(); next; next = window.shift()) await this.#deliver(next.batch, next.result);
      this.#spread(window);
      if (window.isDone && this.#reference) return;
      if (this.#lanes.every(({ isExhausted, isOpen }) => isExhausted && !isOpen)) throw allLost(this.reports);
      this.#helpSlow(window);
      await this.#bell.wait();
    }
  }

  async #deliver(batch: Batch, result: Result): Promise<void> {
    await this.#options.onResult(batch, result);
    this.#delivered.items += this.#options.itemsOf(batch);
    this.#delivered.failed += result.failures.length;
    this.#delivered.seconds = (performance.now() - (this.#startedAt ?? 0)) / 1000;
  }

  /** Gives batches to whoever has room, as long as there are any. */
  #spread(window: Window<Batch, Result>): void {
    for (;;) {
      const load = ({ owed, limit }: ReplicaLane<Batch, Result>): number => owed.length / limit;
      const free = this.#lanes.filter((lane) => lane.isOpen && load(lane) < 1);
      const [first] = free;
      if (!first) return;
      const lane = free.reduce((least, other) => (load(other) < load(least) ? other : least), first);
      const task = window.next(windowFactor * this.#lanes.reduce((sum, { limit }) => sum + Math.ceil(limit), 0));
      if (!task) return;
      this.#startedAt ??= performance.now();
      lane.give(task);
    }
  }

  /** Gives idle replicas the oldest batches of slow ones; the first answer counts. */
  #helpSlow(window: Window<Batch, Result>): void {
    clearTimeout(this.#recheck);
    // Then those that are idle are about to get a batch of their own.
    if (window.isReading) return;
    const idle = this.#lanes.filter(({ isOpen, owed }) => isOpen && owed.length === 0);
    const unanswered = idle.length > 0 ? window.unanswered : [];
    if (unanswered.length === 0) return;
    for (const lane of idle) {
      const paceMs = lane.paceMs ?? unknownPaceMs;
      const slowMs = Math.max(this.#options.slowAfterMs ?? defaultSlowAfterMs, slownessFactor * paceMs);
      const isSlow = (holder: typeof lane): boolean => holder.remainingMs > slowMs;
      const task = unanswered.find(({ holders }) => holders.size > 0 && [...holders].every(isSlow));
      if (!task) continue;
      for (const holder of task.holders) holder.overtaken++;
      lane.give(task);
    }
    const paces = idle.map(({ paceMs }) => paceMs ?? unknownPaceMs);
    this.#recheck = setTimeout(() => this.#bell.ring(), Math.max(minRecheckMs, ...paces));
  }

  /** Ends the streams; those that still owe what others have answered are not waited for. */
  async #finish(running: readonly Promise<void>[]): Promise<void> {
    clearTimeout(this.#recheck);
    for (const lane of this.#lanes) {
      if (lane.isOpen && (lane.owed.length === 0 || lane.overtaken === 0)) lane.finish();
      else lane.cancel();
    }
    const timer = this.#lanes.length > 1 ? setTimeout(() => this.#end.abort(), endTimeoutMs) : undefined;
    await Promise.all(running);
    clearTimeout(timer);
  }

  #admit(opened: OpenedModel): void {
    if (this.#reference) assertSameModel(this.#reference, opened);
    else {
      this.#reference = opened;
      this.#options.onReady(opened.ready);
    }
  }

  #fail(error: unknown): void {
    this.#failure ??= { error };
    this.#bell.ring();
  }

  #assertGoing(): void {
    this.#options.signal.throwIfAborted();
    if (this.#failure) throw this.#failure.error;
  }
}
