import { Worker } from "node:worker_threads";
import { DocumentError, type FoundDocument } from "@ragline/documents";
import type { WorkerOptions, WorkerReply, WorkerRequest } from "./worker-protocol.js";

const workerMain = new URL("../dist/chunk-worker.js", import.meta.url);

/** Vectors of texts, one row each. */
export interface TextVectors {
  readonly vectors: Float32Array;
  readonly columns: number;
}

/** Embeds texts by the dense model at hand. */
export type EmbedTexts = (texts: readonly string[]) => Promise<TextVectors>;

/** What a thread makes of a document, in order. */
export type ThreadReply = Exclude<WorkerReply, { type: "embed" | "failed" }>;

/** One thread of the pool. It works on one document at a time, and stops where its replies are not taken. */
export class ChunkThread {
  readonly #options: WorkerOptions;
  readonly #embed: EmbedTexts | undefined;
  #worker: Worker | undefined;

  constructor(options: WorkerOptions, embed: EmbedTexts | undefined) {
    this.#options = options;
    this.#embed = embed;
  }

  /**
   * Reads and chunks a document: its chunks in batches, then `done`; or `skipped` alone.
   * @throws Error when the thread dies, or the chunker makes a mistake.
   */
  async *chunk(document: FoundDocument): AsyncGenerator<ThreadReply> {
    this.#worker ??= new Worker(workerMain, { workerData: this.#options, execArgv: [] });
    const worker = this.#worker;
    let handedOn = 0;
    this.#post(worker, { type: "document", document });
    for (;;) {
      const answer = await this.#reply(worker, document, handedOn);
      if (answer.type === "embed") {
        if (this.#embed === undefined) throw new Error("no model is at hand that finds where topics turn");
        this.#post(worker, { type: "vectors", ...(await this.#embed(answer.texts)) });
        continue;
      }
      if (answer.type === "failed") throw new Error(`${document.path} could not be chunked: ${answer.message}`);
      yield answer;
      if (answer.type !== "chunks") return;
      handedOn += answer.chunks.length;
      this.#post(worker, { type: "more" });
    }
  }

  /** Ends the thread with what it is doing. */
  async close(): Promise<void> {
    const worker = this.#worker;
    this.#worker = undefined;
    await worker?.terminate();
  }

  #post(worker: Worker, request: WorkerRequest): void {
    worker.postMessage(request);
  }

  #reply(worker: Worker, { path }: FoundDocument, handedOn: number): Promise<WorkerReply> {
    return new Promise((resolve, reject) => {
      const settle = (act: () => void): void => {
        worker.off("message", onMessage).off("error", onError).off("exit", onExit);
        act();
      };
      const lose = (why: string, cause?: unknown): void => {
        this.#worker = undefined;
        settle(() => {
          // Chunks that were handed on cannot be taken back; before the first, the document is one that failed.
          if (handedOn > 0) reject(new Error(`${path} ended its chunker after ${handedOn} chunks: ${why}`, { cause }));
          else
            reject(
              new DocumentError("crashed", `${path} ended its chunker: ${why}; split it or leave it out`, { cause }),
            );
        });
      };
      const onMessage = (answer: WorkerReply): void => settle(() => resolve(answer));
      const onError = (error: Error): void => lose(error.message, error);
      const onExit = (code: number): void => lose(`its thread ended with code ${code}`);
      worker.on("message", onMessage).on("error", onError).on("exit", onExit);
    });
  }
}
