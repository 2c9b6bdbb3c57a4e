import { AsyncResource } from "node:async_hooks";
import { type CallUnit, halve, largestCallTokens } from "./call-unit.js";
import { InferenceError } from "./inference-error.js";
import { joinJobs } from "./join-jobs.js";
import { type CallSink, finishTexts, type PoolJob, type PoolRun, rejectRun } from "./pool-job.js";
import type { TokenBudget } from "./token-budget.js";
import type { DoneWork, WorkObserver } from "./work-observer.js";
import { WorkerGroup, type WorkerGroupOptions } from "./worker-group.js";
import type { WorkerProcess } from "./worker-process.js";
import type { WorkerReply } from "./worker-protocol.js";

/** What a pool is given. */
export interface WorkerPoolOptions {
  /** Name for messages. */
  readonly model: string;
  /** Most padded tokens in one call; larger ones are split before they are sent, and after they ran out of memory. */
  readonly budget: TokenBudget;
  /** Calls that wait are joined into larger ones, of so many texts at most. @default they are not */
  readonly maxJoinedRows?: number;
  /** Told each time a worker process died that was not ended by us. */
  readonly onWorkerLost?: (detail: { pid: number | undefined; signal: string | null; code: number | null }) => void;
  /** Told what workers do. @default nobody */
  readonly observer?: WorkObserver;
}

// Two jobs at a time: the next one lies in the worker's pipe while it computes, so its session never waits for a message.
const jobsAheadPerWorker = 2;
// A job that takes a third worker down with it is the cause, not the victim.
const maxLossesPerJob = 2;
// A text that runs out of memory alone gets one more try, on a worker that has done nothing else.
const maxOutOfMemory = 1;

const outOfMemoryText = /bad_alloc|out of memory|failed to allocate|allocation failed|OOM/i;

/** One queue of jobs and the groups of worker processes that take from it, each under a lease of its own. */
export class WorkerPool {
  readonly #options: WorkerPoolOptions;
  readonly #groups = new Set<WorkerGroup>();
  readonly #inFlight = new Map<WorkerProcess, Map<number, PoolJob>>();
  readonly #groupOf = new Map<WorkerProcess, WorkerGroup>();
  /** Workers that were ended because their group was over its limit, not because of what they computed. */
  readonly #overLimit = new Set<WorkerProcess>();
  readonly #queue: PoolJob[] = [];
  /** Single texts that ran out of memory, for the workers that take the places of those they ran out of it on. */
  readonly #retries: PoolJob[] = [];
  /** Workers that have done nothing yet. */
  readonly #fresh = new Set<WorkerProcess>();
  #nextId = 0;
  #closed: InferenceError | undefined;
  #closing: Promise<void> | undefined;
  #peakBytes = 0;
  #runtime = "";
  #lost = 0;
  #outOfMemory = 0;

  constructor(options: WorkerPoolOptions) {
    this.#options = options;
  }

  /** Process ids of the living workers. */
  get pids(): number[] {
    return [...this.#groups].flatMap(({ workers }) => [...workers].flatMap(({ pid }) => pid ?? []));
  }

  /** Name and version of what computes. */
  get runtime(): string {
    return this.#runtime;
  }

  /** Largest sum of the workers' memory seen so far. */
  get peakBytes(): number {
    return this.#peakBytes;
  }

  /** Workers that died without being told to. */
  get workersLost(): number {
    return this.#lost;
  }

  /** How often a call ran out of memory. */
  get outOfMemory(): number {
    return this.#outOfMemory;
  }

  /** The groups that are attached now. */
  get groups(): ReadonlySet<WorkerGroup> {
    return this.#groups;
  }

  /**
   * Starts a group of workers and waits until every session is open; it takes its share of the jobs from then on.
   * @throws InferenceError when a session cannot be opened; "closed" when the pool or the group is closed meanwhile.
   */
  async attach(options: WorkerGroupOptions): Promise<WorkerGroup> {
    if (this.#closed) throw this.#closed;
    const group: WorkerGroup = new WorkerGroup(this.#options.model, options, {
      onReady: (worker) => {
        this.#groupOf.set(worker, group);
        this.#inFlight.set(worker, new Map());
        this.#fresh.add(worker);
        this.#runtime = worker.runtime;
        this.#noteMemory();
        this.#dispatch();
      },
      onReply: (worker, reply) => this.#settle(worker, reply),
      onEnd: (worker, meant) => this.#onEnd(worker, meant),
      onFailed: (error) => void this.#onGroupFailed(group, error),
    });
    this.#groups.add(group);
    try {
      await group.open();
    } catch (error) {
      await this.detach(group);
      throw error;
    }
    return group;
  }

  /** Ends the workers of a group; what they had not finished goes back into the queue, for the other groups or the next. */
  async detach(group: WorkerGroup): Promise<void> {
    this.#groups.delete(group);
    await group.close(
      this.#closed ?? new InferenceError("closed", `the workers of ${this.#options.model} were closed`),
    );
    // The fresh workers that they wait for may have been of this group.
    this.#queue.unshift(...this.#retries.splice(0));
    this.#dispatch();
  }

  /**
   * Ends the largest worker of a group that is over the limit of its lease. Its work is tried again on a new one; a
   * single text that it was computing counts this as memory that ran out.
   */
  endLargest(group: WorkerGroup): void {
    const [largest] = [...group.workers].sort((a, b) => b.memory.usedBytes - a.memory.usedBytes);
    if (!largest) return;
    this.#overLimit.add(largest);
    group.recycle(largest);
  }

  /**
   * Computes some calls, each on one worker. If the worker dies they are computed again on a new one; if memory runs
   * out, in smaller parts. While no group is attached they wait.
   * @throws InferenceError when the calls fail, or when worker after worker dies of them.
   */
  run(units: readonly CallUnit[], sink: CallSink): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#closed) {
        reject(this.#closed);
        return;
      }
      const left = units.reduce((sum, { positions }) => sum + positions.length, 0);
      const { observer } = this.#options;
      const run: PoolRun = {
        traceparent: observer?.traceparent?.(),
        onWork: observer?.onWork && AsyncResource.bind((work: DoneWork) => observer.onWork?.(work)),
        onResult: (result, positions) => sink.onResult(result, positions),
        onTooLarge: (position, message) => sink.onTooLarge(position, message),
        onCall: (call) => sink.onCall?.(call),
        left,
        settled: false,
        resolve,
        reject,
      };
      this.#queue.push(this.#job(units, run));
      this.#dispatch();
    });
  }

  /** Ends every worker process; work in flight fails. */
  close(): Promise<void> {
    return this.fail(new InferenceError("closed", `the workers of ${this.#options.model} were closed`));
  }

  /** Ends everything, for the reason of the first call; a later call waits for the same end. */
  fail(reason: InferenceError): Promise<void> {
    this.#closing ??= this.#end(reason);
    return this.#closing;
  }

  async #end(reason: InferenceError): Promise<void> {
    this.#closed = reason;
    const jobs = [
      ...this.#queue.splice(0),
      ...this.#retries.splice(0),
      ...[...this.#inFlight.values()].flatMap((each) => [...each.values()]),
    ];
    for (const each of this.#inFlight.values()) each.clear();
    for (const { run } of jobs) rejectRun(run, reason);
    await Promise.all([...this.#groups].map((group) => this.detach(group)));
  }

  #job(units: readonly CallUnit[], run: PoolRun): PoolJob {
    return { id: this.#nextId++, units, run, losses: 0, outOfMemory: 0 };
  }

  #noteMemory(): void {
    let sum = 0;
    for (const group of this.#groups) for (const { memory } of group.workers) sum += memory.peakBytes;
    this.#peakBytes = Math.max(this.#peakBytes, sum);
  }

  #settle(worker: WorkerProcess, reply: Extract<WorkerReply, { id: number }>): void {
    this.#noteMemory();
    const jobs = this.#inFlight.get(worker);
    const job = jobs?.get(reply.id);
    jobs?.delete(reply.id);
    if (job && reply.type === "done") {
      job.run.onWork?.({
        pid: worker.pid,
        startedAtMs: reply.startedAtMs,
        seconds: reply.seconds,
        calls: job.units.length,
        paddedTokens: job.units.reduce((sum, { call }) => sum + call.rows * call.columns, 0),
      });
      job.units.forEach(({ call, positions }, i) => {
        job.run.onCall?.(call);
        const result = reply.results[i];
        if (result && !job.run.settled) job.run.onResult(result, positions);
        finishTexts(job.run, positions.length);
      });
      if (job.units.length === 1)
        this.#options.budget.succeeded({ tokens: largestCallTokens(job.units), seconds: reply.seconds });
    } else if (job && reply.type === "failed") {
      const message = `model ${this.#options.model} failed: ${reply.message}`;
      if (outOfMemoryText.test(reply.message)) this.#onOutOfMemory(worker, job, message);
      else if (job.parts) this.#queue.unshift(...job.parts);
      else rejectRun(job.run, new InferenceError("execution_failed", message));
    }
    this.#dispatch();
  }

  /** Puts the parts of a job that ran out of memory before the others; a single text is tried once more, then given up. */
  #onOutOfMemory(worker: WorkerProcess, job: PoolJob, message: string): void {
    this.#outOfMemory++;
    this.#options.observer?.onOutOfMemory?.();
    this.#options.budget.outOfMemory(largestCallTokens(job.units));
    if (this.#queueHalves(job)) return;
    if (job.outOfMemory++ < maxOutOfMemory) {
      this.#retries.push(job);
      this.#groupOf.get(worker)?.recycle(worker);
    } else {
      this.#giveUp(job, message);
    }
  }

  #giveUp(job: PoolJob, message: string): void {
    for (const { positions } of job.units) {
      for (const position of positions) {
        if (!job.run.settled) job.run.onTooLarge(position, message);
        finishTexts(job.run, 1);
      }
    }
  }

  #queueHalves(job: PoolJob): boolean {
    const halves = halve(job.units);
    if (!halves) return false;
    this.#queue.unshift(...halves.map((units) => this.#job(units, job.run)));
    return true;
  }

  /** Puts the work of a worker that has ended back. */
  #onEnd(worker: WorkerProcess, meant: boolean): void {
    const overLimit = this.#overLimit.delete(worker);
    // Jobs are computed in the order of their arrival: if the worker died of one, then of the first.
    const [computed, ...waiting] = this.#inFlight.get(worker)?.values() ?? [];
    this.#inFlight.delete(worker);
    this.#fresh.delete(worker);
    this.#groupOf.delete(worker);
    if (!meant) {
      this.#lost++;
      this.#options.onWorkerLost?.(worker.end);
    }
    this.#queue.unshift(...waiting);
    if (computed?.parts && !overLimit) {
      if (!meant) for (const part of computed.parts) part.losses++;
      this.#queue.unshift(...computed.parts);
    } else if (computed && overLimit) {
      const message = `model ${this.#options.model} needs more memory for one text than its lease has`;
      if (this.#queueHalves(computed)) this.#options.budget.outOfMemory(largestCallTokens(computed.units));
      else if (computed.outOfMemory++ < maxOutOfMemory) this.#retries.push(computed);
      else this.#giveUp(computed, message);
    } else if (computed && !meant && ++computed.losses > maxLossesPerJob) {
      const how = worker.howItEnded;
      const message = `${computed.losses} worker processes of ${this.#options.model} died of the same texts (last: ${how})`;
      rejectRun(computed.run, new InferenceError("worker_lost", message));
    } else if (computed) {
      this.#queue.unshift(computed);
    }
    this.#dispatch();
  }

  async #onGroupFailed(group: WorkerGroup, error: InferenceError): Promise<void> {
    await this.detach(group);
    if (this.#groups.size === 0) await this.fail(error);
  }

  #idlest(): WorkerProcess | undefined {
    let best: WorkerProcess | undefined;
    let fewest = jobsAheadPerWorker;
    for (const [worker, { size }] of this.#inFlight) {
      if (!worker.isReady || size >= fewest) continue;
      best = worker;
      fewest = size;
    }
    return best;
  }

  #dispatch(): void {
    for (const worker of this.#fresh) {
      const job = this.#retries.shift();
      if (!job) break;
      this.#send(worker, job);
    }
    const { budget, maxJoinedRows: rows } = this.#options;
    while (this.#queue.length > 0) {
      const idlest = this.#idlest();
      const job = idlest && this.#queue.shift();
      if (!job) return;
      if (job.run.settled) continue;
      if (largestCallTokens(job.units) > budget.tokens && this.#splitLargest(job)) continue;
      this.#send(idlest, rows ? joinJobs(job, this.#queue, { tokens: budget.tokens, rows }) : job);
    }
  }

  #send(worker: WorkerProcess, job: PoolJob): void {
    this.#fresh.delete(worker);
    this.#inFlight.get(worker)?.set(job.id, job);
    const { fencingToken } = this.#groupOf.get(worker)?.options ?? { fencingToken: 0 };
    const { traceparent } = job.run;
    const calls = job.units.map(({ call }) => call);
    worker.send({ type: "job", id: job.id, fencingToken, calls, ...(traceparent ? { traceparent } : {}) });
  }

  /** Splits a job whose call has become too large for the budget; jobs of several calls have only short single texts. */
  #splitLargest(job: PoolJob): boolean {
    return job.units.length === 1 && this.#queueHalves(job);
  }
}
