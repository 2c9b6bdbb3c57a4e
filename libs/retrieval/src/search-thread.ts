import { Worker } from "node:worker_threads";
import type { DenseSearchOptions, DenseShape } from "./dense-share.js";
import type { SearchReply, SearchRequest } from "./search-protocol.js";
import { NonFiniteScoreError, type ScoredRow } from "./top-k.js";

const workerMain = new URL("../dist/search-worker.js", import.meta.url);

interface Waiter {
  readonly resolve: (reply: SearchReply) => void;
  readonly reject: (error: Error) => void;
}

/** A thread of its own with a share of a matrix; see `DenseShare`, whose methods these are. */
export class SearchThread {
  readonly #worker: Worker;
  readonly #waiters: Waiter[] = [];
  #failure: Error | undefined;

  constructor(shape: DenseShape) {
    this.#worker = new Worker(workerMain, { workerData: shape, execArgv: [] });
    this.#worker.on("message", (reply: SearchReply) => this.#waiters.shift()?.resolve(reply));
    this.#worker.on("error", (cause: Error) => this.#fail(cause.message, cause));
    this.#worker.on("exit", (code) => this.#fail(`it ended with code ${code}`));
  }

  async set(firstRow: number, values: Float32Array): Promise<void> {
    // A copy, which is then handed over as it is.
    const copy = values.slice();
    await this.#ask({ type: "set", firstRow, values: copy }, [copy.buffer]);
  }

  async search(queries: Float32Array, options: DenseSearchOptions): Promise<ScoredRow[][]> {
    const reply = await this.#ask({ type: "search", queries, options });
    if (reply.type === "not-finite") throw new NonFiniteScoreError(reply.row, reply.query, reply.score);
    return reply.type === "found" ? reply.lists : [];
  }

  /** Ends the thread with what it is doing. */
  async close(): Promise<void> {
    await this.#worker.terminate();
  }

  #ask(request: SearchRequest, transfer: ArrayBuffer[] = []): Promise<SearchReply> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    return new Promise((resolve, reject) => {
      this.#waiters.push({ resolve, reject });
      this.#worker.postMessage(request, transfer);
    });
  }

  #fail(why: string, cause?: Error): void {
    this.#failure ??= new Error(`a thread that searches vectors was lost: ${why}`, { cause });
    for (const { reject } of this.#waiters.splice(0)) reject(this.#failure);
  }
}
