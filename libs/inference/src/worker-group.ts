import { InferenceError } from "./inference-error.js";
import { type OnWorkerReply, WorkerProcess } from "./worker-process.js";
import { beatMs, type WorkerInit } from "./worker-protocol.js";

/** The workers that compute under one lease. */
export interface WorkerGroupOptions extends Omit<WorkerInit, "type"> {
  /** Name of the device, for messages. */
  readonly name: string;
  /** How many worker processes. */
  readonly workers: number;
}

/** Told what happens to the workers of a group. */
export interface WorkerGroupEvents {
  onReady(worker: WorkerProcess): void;
  onReply(worker: WorkerProcess, reply: Parameters<OnWorkerReply>[0]): void;
  /** A worker has ended: `meant` if the group ended it. One that is not meant, or was recycled, is replaced. */
  onEnd(worker: WorkerProcess, meant: boolean): void;
  /** A worker that ended cannot be replaced. */
  onFailed(error: InferenceError): void;
}

// A worker does not die of chance before it is ready three times in a row.
const maxStarts = 3;

/** Worker processes over the same graph on one device; each that dies is replaced until the group is closed. */
export class WorkerGroup {
  readonly options: WorkerGroupOptions;
  readonly #model: string;
  readonly #events: WorkerGroupEvents;
  readonly #workers = new Set<WorkerProcess>();
  readonly #meant = new Set<WorkerProcess>();
  readonly #beat: NodeJS.Timeout;
  #closed: InferenceError | undefined;
  #peakBytes = 0;

  constructor(model: string, options: WorkerGroupOptions, events: WorkerGroupEvents) {
    this.#model = model;
    this.options = options;
    this.#events = events;
    this.#beat = setInterval(() => {
      for (const worker of this.#workers) worker.beat();
    }, beatMs).unref();
  }

  /** The living workers. */
  get workers(): ReadonlySet<WorkerProcess> {
    return this.#workers;
  }

  /** Largest sum of the workers' memory seen so far, as they said it or as `recordUsage` was told. */
  get peakBytes(): number {
    return this.#peakBytes;
  }

  /** Takes note of what all workers together use now, in bytes. */
  recordUsage(bytes: number): void {
    this.#peakBytes = Math.max(this.#peakBytes, bytes);
  }

  /** Starts the workers. Throws an InferenceError when one cannot open its session, or when the group was closed meanwhile. */
  async open(): Promise<void> {
    await Promise.all(Array.from({ length: this.options.workers }, () => this.#openWorker()));
  }

  /** Ends one worker, so that its memory is given back; another takes its place. */
  recycle(worker: WorkerProcess): void {
    this.#meant.add(worker);
    worker.kill();
  }

  /** Ends every worker. */
  async close(reason: InferenceError): Promise<void> {
    this.#closed ??= reason;
    clearInterval(this.#beat);
    const workers = [...this.#workers];
    for (const worker of workers) worker.kill();
    await Promise.all(workers.map(({ gone }) => gone));
  }

  #throwIfClosed(): void {
    if (this.#closed) throw this.#closed;
  }

  /** Starts one worker, again where it dies before it is ready. */
  async #openWorker(): Promise<void> {
    for (let starts = 1; ; starts++) {
      this.#throwIfClosed();
      try {
        await this.#start();
        return;
      } catch (cause) {
        this.#throwIfClosed();
        if (cause instanceof InferenceError) {
          if (cause.failure === "worker_lost" && starts < maxStarts) continue;
          throw cause;
        }
        const why = cause instanceof Error ? cause.message : String(cause);
        const message = `no worker process for ${this.#model} can be started: ${why}`;
        throw new InferenceError("worker_lost", message, { cause });
      }
    }
  }

  async #start(): Promise<void> {
    const worker: WorkerProcess = new WorkerProcess(this.#model, this.options, (reply) => {
      this.#noteMemory();
      this.#events.onReply(worker, reply);
    });
    this.#workers.add(worker);
    void worker.gone.then(() => this.#onGone(worker));
    await worker.opened;
    this.#throwIfClosed();
    this.#noteMemory();
    this.#events.onReady(worker);
  }

  #onGone(worker: WorkerProcess): void {
    this.#workers.delete(worker);
    const meant = this.#closed !== undefined || this.#meant.delete(worker);
    if (worker.pid !== undefined) this.#events.onEnd(worker, meant);
    if (this.#closed || !worker.isReady) return;
    this.#openWorker().catch((error: InferenceError) => {
      if (!this.#closed) this.#events.onFailed(error);
    });
  }

  #noteMemory(): void {
    let sum = 0;
    for (const { memory } of this.#workers) sum += memory.peakBytes;
    this.recordUsage(sum);
  }
}
