import { availableParallelism } from "node:os";
import {
  DocumentError,
  type DocumentErrorReason,
  type FoundDocument,
  findDocuments,
  type PathRuleOptions,
} from "@ragline/documents";
import { ChunkThread, type EmbedTexts, type ThreadReply } from "./chunk-thread.js";
import type { Ledger } from "./ledger.js";
import type { SerializedChunk } from "./serialized-chunk.js";
import type { WorkerOptions } from "./worker-protocol.js";

/** What is told of documents: the chunks of one in order, then the document itself; or a file that was passed over. */
export type ChunkEvent =
  | { readonly type: "chunk"; readonly chunk: SerializedChunk }
  | {
      readonly type: "document";
      readonly path: string;
      readonly relativePath: string;
      /** How many chunk events came before. */
      readonly chunks: number;
      /** Of the file's bytes, in hex. */
      readonly sha256: string;
      /** What its bytes were decoded by, such as "utf-8" or "shift_jis"; none for formats whose bytes are no text. */
      readonly encoding?: string;
      /** Where every byte of it went. */
      readonly ledger: Ledger;
    }
  | {
      readonly type: "skipped";
      readonly path: string;
      readonly relativePath?: string;
      readonly reason: DocumentErrorReason;
      readonly message: string;
    };

/** How files are chunked. */
export interface ChunkFilesOptions extends WorkerOptions {
  /** Which files of a directory are read. @default all of a known kind that Git does not ignore */
  readonly finding?: PathRuleOptions;
  /** Threads that read and chunk documents. @default the cores at hand */
  readonly threads?: number;
  /** Embeds sentences, for the strategy "semantic". @default none */
  readonly embed?: EmbedTexts;
  /** Stops between chunks. @default none */
  readonly signal?: AbortSignal;
}

/** Documents that are read ahead for each thread: so that one has its next before the last is handed on. */
const readAhead = 2;

/**
 * Reads and chunks documents on all cores and hands the chunks on in the order of the documents. Memory holds the documents
 * that are being chunked, whatever their number; threads wait while nobody takes their chunks. A file that cannot be read
 * is a `skipped` event and the others go on.
 * @throws the signal's reason when aborted.
 */
export async function* chunkFiles(
  documents: readonly FoundDocument[],
  options: ChunkFilesOptions,
): AsyncGenerator<ChunkEvent> {
  const { threads = availableParallelism(), embed, finding: _, signal, ...workerOptions } = options;
  signal?.throwIfAborted();
  const count = Math.max(1, Math.min(threads, documents.length));
  const pool = Array.from({ length: count }, () => new ChunkThread(workerOptions, embed));
  const idle = [...pool];
  // In the order of the documents, so that the first one never waits for those behind it.
  const waiting: ((thread: ChunkThread) => void)[] = [];
  const stop = (): void => {
    for (const thread of pool) void thread.close();
  };
  signal?.addEventListener("abort", stop, { once: true });
  const start = (document: FoundDocument): Started => {
    const queue = new Started();
    const work = async (): Promise<void> => {
      const thread = idle.pop() ?? (await new Promise<ChunkThread>((resolve) => waiting.push(resolve)));
      try {
        for await (const reply of thread.chunk(document)) await queue.put(reply);
      } finally {
        const next = waiting.shift();
        if (next) next(thread);
        else idle.push(thread);
      }
    };
    work().then(
      () => queue.end(),
      (error: Error) => queue.end(error),
    );
    return queue;
  };
  try {
    const started: Started[] = [];
    let next = 0;
    for (const document of documents) {
      while (next < documents.length && started.length < count * readAhead) {
        started.push(start(documents[next++] as FoundDocument));
      }
      yield* eventsOf(document, started.shift() as Started, signal);
    }
  } finally {
    signal?.removeEventListener("abort", stop);
    await Promise.all(pool.map((thread) => thread.close()));
  }
}

/** {@link chunkFiles} over all documents among files and directories. */
export async function* chunkInputs(inputs: readonly string[], options: ChunkFilesOptions): AsyncGenerator<ChunkEvent> {
  const { documents, skipped } = await findDocuments(inputs, options.finding);
  for (const { path, reason, message } of skipped) yield { type: "skipped", path, reason, message };
  yield* chunkFiles(documents, options);
}

async function* eventsOf(
  { path, relativePath }: FoundDocument,
  replies: Started,
  signal: AbortSignal | undefined,
): AsyncGenerator<ChunkEvent> {
  let chunks = 0;
  try {
    for await (const reply of replies) {
      signal?.throwIfAborted();
      if (reply.type === "chunks") {
        for (const chunk of reply.chunks) {
          signal?.throwIfAborted();
          yield { type: "chunk", chunk };
        }
        chunks += reply.chunks.length;
      } else if (reply.type === "done") {
        const { type: _, ...read } = reply;
        yield { type: "document", path, relativePath, chunks, ...read };
      } else {
        yield { type: "skipped", path, relativePath, reason: reply.reason, message: reply.message };
      }
    }
  } catch (error) {
    signal?.throwIfAborted();
    if (!(error instanceof DocumentError)) throw error;
    yield { type: "skipped", path, relativePath, reason: error.reason, message: error.message };
  }
}

/** The replies of a thread for one document, one at a time: the next is asked for when the last was taken. */
class Started {
  #reply: ThreadReply | undefined;
  #taken: (() => void) | undefined;
  #came: (() => void) | undefined;
  #ended: { readonly error: Error | undefined } | undefined;

  async put(reply: ThreadReply): Promise<void> {
    const taken = new Promise<void>((resolve) => {
      this.#taken = resolve;
    });
    this.#reply = reply;
    this.#came?.();
    await taken;
  }

  end(error?: Error): void {
    this.#ended = { error };
    this.#came?.();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<ThreadReply> {
    for (;;) {
      const reply = this.#reply;
      if (reply !== undefined) {
        this.#reply = undefined;
        this.#taken?.();
        yield reply;
        continue;
      }
      if (this.#ended !== undefined) {
        if (this.#ended.error !== undefined) throw this.#ended.error;
        return;
      }
      await new Promise<void>((resolve) => {
        this.#came = resolve;
      });
    }
  }
}
