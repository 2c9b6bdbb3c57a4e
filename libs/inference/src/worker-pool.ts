import { type ChildProcess, fork } from "node:child_process";
import { InferenceError } from "./inference-error.js";
import type { CallResult, ModelCall, WorkerInit, WorkerJob, WorkerReply } from "./worker-protocol.js";

/** What a pool needs to start. */
export interface WorkerPoolOptions extends Omit<WorkerInit, "type"> {
  /** Name for messages. */
  readonly model: string;
  /** How many worker processes. */
  readonly workers: number;
  /** Told each time a worker process died while the pool was open. */
  readonly onWorkerLost?: (detail: { pid: number | undefined; signal: string | null; code: number | null }) => void;
  /** Gives up the start when it aborts; after the start it means nothing. @default none */
  readonly signal?: AbortSignal;
}

interface PendingJob {
  readonly job: WorkerJob;
  readonly resolve: (results: readonly CallResult[]) => void;
  readonly reject: (error: InferenceError) => void;
  /** How many workers died while they computed this job. */
  losses: number;
}

interface Worker {
  readonly child: ChildProcess;
  readonly inFlight: Map<number, PendingJob>;
  /** Resolves when the process has ended and all that it said was read, or when there never was one. */
  readonly gone: Promise<void>;
  ready: boolean;
  peakBytes: number;
}

// Two jobs at a time: the next one lies in the worker's pipe while it computes, so its session never waits for a message.
const jobsAheadPerWorker = 2;
// A job that takes a third worker down with it is the cause, not the victim.
const maxLossesPerJob = 2;
// Nor does a worker die of chance before it is ready three times in a row.
const maxStarts = 3;

const workerMain = new URL("../dist/worker-main.js", import.meta.url);
const outOfMemoryText = /bad_alloc|out of memory|failed to allocate|allocation failed|OOM/i;

/** Worker processes that each own one session over the same graph, and the queue of jobs before them. */
export class WorkerPool {
  readonly #options: WorkerPoolOptions;
  readonly #workers = new Set<Worker>();
  readonly #queue: PendingJob[] = [];
  #nextId = 0;
  #closed: InferenceError | undefined;
  #peakBytes = 0;
  #runtime = "";
  #lost = 0;

  private constructor(options: WorkerPoolOptions) {
    this.#options = options;
  }

  /**
   * Starts the workers and waits until every session is open.
   * @throws InferenceError when a session cannot be opened, or "closed" when the signal aborts.
   */
  static async start(options: WorkerPoolOptions): Promise<WorkerPool> {
    const { signal, workers } = options;
    const pool = new WorkerPool(options);
    const giveUp = () => void pool.close();
    if (signal?.aborted) giveUp();
    signal?.addEventListener("abort", giveUp, { once: true });
    try {
      await Promise.all(Array.from({ length: workers }, () => pool.#open()));
    } catch (error) {
      await pool.close();
      throw error;
    } finally {
      signal?.removeEventListener("abort", giveUp);
    }
    return pool;
  }

  /** Process ids of the living workers. */
  get pids(): number[] {
    return [...this.#workers].flatMap(({ child }) => child.pid ?? []);
  }

  /** Name and version of what computes. */
  get runtime(): string {
    return this.#runtime;
  }

  /** Largest sum of the workers' resident memory seen so far. */
  get peakBytes(): number {
    return this.#peakBytes;
  }

  /** Workers that died while the pool was open. */
  get workersLost(): number {
    return this.#lost;
  }

  /**
   * Computes some calls on one worker. If the worker dies, they are computed again on a new one.
   * @throws InferenceError when the calls fail, or when worker after worker dies of them.
   */
  run(calls: readonly ModelCall[]): Promise<readonly CallResult[]> {
    return new Promise((resolve, reject) => {
      if (this.#closed) {
        reject(this.#closed);
        return;
      }
      this.#queue.push({ job: { type: "job", id: this.#nextId++, calls }, resolve, reject, losses: 0 });
      this.#dispatch();
    });
  }

  /** Ends every worker process; work in flight fails. */
  close(): Promise<void> {
    return this.#stop(new InferenceError("closed", `the workers of ${this.#options.model} were closed`));
  }

  /** Ends everything, for the reason of the first call. */
  async #stop(reason: InferenceError): Promise<void> {
    this.#closed ??= reason;
    const workers = [...this.#workers];
    const pending = [...this.#queue.splice(0), ...workers.flatMap(({ inFlight }) => [...inFlight.values()])];
    for (const { inFlight } of workers) inFlight.clear();
    for (const job of pending) job.reject(this.#closed);
    // A child that never became a process has no pid, and a kill of pid 0 would reach this very process group.
    for (const { child } of workers) if (child.pid !== undefined) child.kill("SIGKILL");
    await Promise.all(workers.map(({ gone }) => gone));
  }

  #throwIfClosed(): void {
    if (this.#closed) throw this.#closed;
  }

  /** Starts one worker, again where it dies before it is ready. */
  async #open(): Promise<void> {
    for (let starts = 1; ; starts++) {
      this.#throwIfClosed();
      try {
        await this.#spawn();
        return;
      } catch (cause) {
        this.#throwIfClosed();
        if (cause instanceof InferenceError) {
          if (cause.failure === "worker_lost" && starts < maxStarts) continue;
          throw cause;
        }
        const why = cause instanceof Error ? cause.message : String(cause);
        const message = `no worker process for ${this.#options.model} can be started: ${why}`;
        throw new InferenceError("worker_lost", message, { cause });
      }
    }
  }

  /** Resolves when the new worker is ready. Throws a plain error where the system gives no process. */
  async #spawn(): Promise<void> {
    const { graphPath, threads, output, head, model } = this.#options;
    const child = fork(workerMain, {
      serialization: "advanced",
      stdio: ["ignore", "ignore", "inherit", "ipc"],
      execArgv: [],
    });
    const gone = new Promise<void>((resolve) => {
      child.once("close", () => resolve());
      child.on("error", () => child.pid === undefined && resolve());
    });
    const worker: Worker = { child, inFlight: new Map(), gone, ready: false, peakBytes: 0 };
    this.#workers.add(worker);
    await new Promise<void>((resolve, reject) => {
      child.on("message", (reply: WorkerReply) => {
        if (reply.type === "ready") {
          worker.ready = true;
          this.#runtime = reply.runtime;
          this.#measure(worker, reply.residentBytes);
          resolve();
          this.#dispatch();
        } else if (reply.type === "refused") {
          reject(new InferenceError("model_refused", `model ${model} cannot be opened: ${reply.message}`));
        } else {
          this.#settle(worker, reply);
        }
      });
      child.on("error", reject);
      void gone.then(() => {
        this.#workers.delete(worker);
        if (this.#closed) reject(this.#closed);
        else if (child.pid !== undefined) this.#onLost(worker, reject);
      });
      // A child that dies at once closes the channel under this message; its end tells the rest.
      child.send({ type: "init", graphPath, threads, output, head } satisfies WorkerInit, () => undefined);
    });
  }

  #measure(worker: Worker, residentBytes: number): void {
    worker.peakBytes = Math.max(worker.peakBytes, residentBytes);
    const sum = [...this.#workers].reduce((total, { peakBytes }) => total + peakBytes, 0);
    this.#peakBytes = Math.max(this.#peakBytes, sum);
  }

  #settle(worker: Worker, reply: Extract<WorkerReply, { id: number }>): void {
    const pending = worker.inFlight.get(reply.id);
    worker.inFlight.delete(reply.id);
    if (reply.type === "done") {
      this.#measure(worker, reply.residentBytes);
      pending?.resolve(reply.results);
    } else {
      const failure = outOfMemoryText.test(reply.message) ? "out_of_memory" : "execution_failed";
      pending?.reject(new InferenceError(failure, `model ${this.#options.model} failed: ${reply.message}`));
    }
    this.#dispatch();
  }

  /** Puts the work of a dead worker back and starts another, unless it was never ready: then `whenNotReady` is told. */
  #onLost(dead: Worker, whenNotReady: (error: InferenceError) => void): void {
    const { model, onWorkerLost } = this.#options;
    const { pid, exitCode, signalCode } = dead.child;
    const how = signalCode ?? `exit code ${exitCode}`;
    this.#lost++;
    onWorkerLost?.({ pid, code: exitCode, signal: signalCode });
    if (!dead.ready) {
      const message = `worker processes of ${model} die while they open the model (last: ${how})`;
      whenNotReady(new InferenceError("worker_lost", message));
      return;
    }
    // Jobs are computed in the order of their arrival: if the worker died of one, then of the first.
    const [computed, ...waiting] = dead.inFlight.values();
    this.#queue.unshift(...waiting);
    if (computed && ++computed.losses > maxLossesPerJob) {
      const message = `${computed.losses} worker processes of ${model} died of the same texts (last: ${how})`;
      computed.reject(new InferenceError("worker_lost", message));
    } else if (computed) {
      this.#queue.unshift(computed);
    }
    this.#dispatch();
    this.#open().catch((error: InferenceError) => this.#stop(error));
  }

  #dispatch(): void {
    while (this.#queue.length > 0) {
      const idle = [...this.#workers]
        .filter((worker) => worker.ready && worker.inFlight.size < jobsAheadPerWorker)
        .sort((a, b) => a.inFlight.size - b.inFlight.size)[0];
      const pending = idle && this.#queue.shift();
      if (!pending) return;
      idle.inFlight.set(pending.job.id, pending);
      idle.child.send(pending.job, () => undefined);
    }
  }
}
