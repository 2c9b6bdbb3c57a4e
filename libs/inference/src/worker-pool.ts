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
}

interface PendingJob {
  readonly job: WorkerJob;
  readonly resolve: (results: readonly CallResult[]) => void;
  readonly reject: (error: InferenceError) => void;
  /** How many workers died while they had this job. */
  losses: number;
}

interface Worker {
  readonly child: ChildProcess;
  readonly inFlight: Map<number, PendingJob>;
  ready: boolean;
  peakBytes: number;
}

// Two jobs at a time: the next one lies in the worker's pipe while it computes, so its session never waits for a message.
const jobsAheadPerWorker = 2;
// A job that takes a third worker down with it is the cause, not the victim.
const maxLossesPerJob = 2;
const maxFailedStarts = 3;

const workerMain = new URL("../dist/worker-main.js", import.meta.url);
const outOfMemoryText = /bad_alloc|out of memory|failed to allocate|allocation failed|OOM/i;

/** Worker processes that each own one session over the same graph, and the queue of jobs before them. */
export class WorkerPool {
  readonly #options: WorkerPoolOptions;
  readonly #workers = new Set<Worker>();
  readonly #queue: PendingJob[] = [];
  #nextId = 0;
  #failedStarts = 0;
  #closed: InferenceError | undefined;
  #peakBytes = 0;
  #runtime = "";
  #lost = 0;

  private constructor(options: WorkerPoolOptions) {
    this.#options = options;
  }

  /**
   * Starts the workers and waits until every session is open.
   * @throws InferenceError when a session cannot be opened.
   */
  static async start(options: WorkerPoolOptions): Promise<WorkerPool> {
    const pool = new WorkerPool(options);
    try {
      await Promise.all(Array.from({ length: options.workers }, () => pool.#spawn()));
    } catch (error) {
      await pool.close();
      throw error;
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
  async close(): Promise<void> {
    this.#fail(new InferenceError("closed", `the workers of ${this.#options.model} were closed`));
    await Promise.all([...this.#workers].map(({ child }) => this.#end(child)));
  }

  #end(child: ChildProcess): Promise<void> {
    return new Promise((resolve) => {
      if (child.exitCode !== null || child.signalCode !== null) {
        resolve();
        return;
      }
      child.once("exit", () => resolve());
      child.kill("SIGKILL");
    });
  }

  #fail(error: InferenceError): void {
    this.#closed ??= error;
    const pending = [...this.#queue.splice(0), ...[...this.#workers].flatMap(({ inFlight }) => [...inFlight.values()])];
    for (const { inFlight } of this.#workers) inFlight.clear();
    for (const job of pending) job.reject(error);
  }

  #spawn(): Promise<void> {
    const { graphPath, threads, output, head, model } = this.#options;
    const child = fork(workerMain, {
      serialization: "advanced",
      stdio: ["ignore", "ignore", "inherit", "ipc"],
      execArgv: [],
    });
    const worker: Worker = { child, inFlight: new Map(), ready: false, peakBytes: 0 };
    this.#workers.add(worker);
    return new Promise((resolve, reject) => {
      child.on("message", (reply: WorkerReply) => {
        if (reply.type === "ready") {
          worker.ready = true;
          this.#runtime = reply.runtime;
          this.#failedStarts = 0;
          resolve();
          this.#dispatch();
        } else if (reply.type === "refused") {
          reject(new InferenceError("model_refused", `model ${model} cannot be opened: ${reply.message}`));
        } else {
          this.#settle(worker, reply);
        }
      });
      child.once("error", (cause) =>
        reject(
          new InferenceError("worker_lost", `no worker process for ${model} can be started: ${cause.message}`, {
            cause,
          }),
        ),
      );
      child.once("exit", (code, signal) => {
        this.#workers.delete(worker);
        reject(
          new InferenceError(
            "worker_lost",
            `a worker process of ${model} died while it opened the model (${signal ?? `exit code ${code}`})`,
          ),
        );
        if (!this.#closed) this.#replace(worker, code, signal);
      });
      // A child that dies at once closes the channel under this message; its exit event tells the rest.
      child.send({ type: "init", graphPath, threads, output, head } satisfies WorkerInit, () => undefined);
    });
  }

  #settle(worker: Worker, reply: Extract<WorkerReply, { id: number }>): void {
    const pending = worker.inFlight.get(reply.id);
    worker.inFlight.delete(reply.id);
    if (reply.type === "done") {
      worker.peakBytes = Math.max(worker.peakBytes, reply.residentBytes);
      this.#peakBytes = Math.max(
        this.#peakBytes,
        [...this.#workers].reduce((sum, { peakBytes }) => sum + peakBytes, 0),
      );
      pending?.resolve(reply.results);
    } else {
      const failure = outOfMemoryText.test(reply.message) ? "out_of_memory" : "execution_failed";
      pending?.reject(new InferenceError(failure, `model ${this.#options.model} failed: ${reply.message}`));
    }
    this.#dispatch();
  }

  #replace(dead: Worker, code: number | null, signal: NodeJS.Signals | null): void {
    this.#lost++;
    this.#options.onWorkerLost?.({ pid: dead.child.pid, code, signal });
    const how = signal ?? `exit code ${code}`;
    for (const pending of [...dead.inFlight.values()].reverse()) {
      pending.losses++;
      if (pending.losses <= maxLossesPerJob) this.#queue.unshift(pending);
      else
        pending.reject(
          new InferenceError(
            "worker_lost",
            `${pending.losses} worker processes of ${this.#options.model} died of the same texts (last: ${how})`,
          ),
        );
    }
    if (!dead.ready) this.#failedStarts++;
    if (this.#failedStarts >= maxFailedStarts) {
      this.#fail(
        new InferenceError(
          "worker_lost",
          `worker processes of ${this.#options.model} keep dying before they are ready (last: ${how})`,
        ),
      );
      return;
    }
    this.#spawn().catch((error: InferenceError) => {
      // A dead process comes back to #replace by its exit event; a refused model would be refused again.
      if (error.failure === "model_refused") this.#fail(error);
    });
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
