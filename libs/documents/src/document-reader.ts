import { availableParallelism } from "node:os";
import { basename, extname } from "node:path";
import { readerOf } from "./formats/readers.js";
import { type DocumentFile, type ReadOptions, readDocument } from "./read-document.js";
import type { SourceDocument } from "./source-document.js";
import { type ParserLimits, ParserProcess } from "./worker/parser-process.js";

/** What the reading of one file may cost. */
export interface DocumentReaderOptions extends ReadOptions {
  /** Milliseconds that one file may take. @default 60000 */
  timeoutMs?: number;
  /** Resident bytes that a process may hold while it parses a file. @default 1073741824 (1 GiB) */
  memoryBytes?: number;
  /** Files that are parsed at the same time, each in a process of its own. @default the cores at hand, at most 4 */
  processes?: number;
  /** Ends what is being parsed. @default none */
  signal?: AbortSignal;
}

const defaultMaxBytes = 64 * 1024 * 1024;

/**
 * Reads documents with limits on size, time and memory, so that a hostile file costs one typed error and nothing else.
 * Markdown and plain text are parsed in this process, in time that grows with their size alone; everything else in
 * processes that are started when the first such file comes, and ended by `close`.
 */
export class DocumentReader {
  readonly #maxBytes: number;
  readonly #limits: ParserLimits;
  readonly #signal: AbortSignal | undefined;
  readonly #capacity: number;
  readonly #idle: ParserProcess[] = [];
  readonly #waiting: (() => void)[] = [];
  readonly #all = new Set<ParserProcess>();
  #busy = 0;

  constructor(options: DocumentReaderOptions = {}) {
    const { maxBytes = defaultMaxBytes, timeoutMs = 60_000, memoryBytes = 1024 ** 3, processes, signal } = options;
    this.#maxBytes = maxBytes;
    this.#limits = { timeoutMs, memoryBytes };
    this.#capacity = Math.max(1, processes ?? Math.min(4, availableParallelism()));
    this.#signal = signal;
  }

  /** Files that are parsed at the same time; reading that many ahead keeps all processes busy. */
  get processes(): number {
    return this.#capacity;
  }

  /**
   * Reads and parses a file; may be called many times at once.
   * @throws DocumentError; the signal's reason when aborted.
   */
  async read(file: DocumentFile): Promise<SourceDocument> {
    const { path, relativePath = basename(path) } = file;
    this.#signal?.throwIfAborted();
    const reader = readerOf(extname(relativePath).toLowerCase());
    if (reader?.isIsolated !== true) return readDocument(file, { maxBytes: this.#maxBytes });
    while (this.#busy >= this.#capacity) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    this.#busy++;
    const parser = this.#take();
    try {
      return await parser.parse({ path, relativePath, maxBytes: this.#maxBytes }, this.#signal);
    } finally {
      this.#busy--;
      if (parser.isUsable) this.#idle.push(parser);
      else this.#all.delete(parser);
      this.#waiting.shift()?.();
    }
  }

  /** Ends the processes. What is still being read fails. */
  close(): void {
    for (const parser of this.#all) parser.end();
  }

  #take(): ParserProcess {
    for (let parser = this.#idle.pop(); parser !== undefined; parser = this.#idle.pop()) {
      if (parser.isUsable) return parser;
      this.#all.delete(parser);
    }
    const parser = new ParserProcess(this.#limits);
    this.#all.add(parser);
    return parser;
  }
}
