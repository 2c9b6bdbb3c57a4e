import type { ExportChunk, ExportChunksSchema } from "@ragline/contracts";
import { Bell } from "./bell.js";
import type { MessageSpool } from "./message-spool.js";

type SpooledChunk = Pick<ExportChunk, "id" | "text" | "metadataJson">;

// One message of the spool is one request to a stage: small enough that the first vectors come soon, large enough that
// a message costs little beside the computing.
const maxChunksPerBatch = 16;
const maxCharactersPerBatch = 1 << 20;

/**
 * The chunks of a run on disk, in order, in batches of the size that the stages are sent. They can be read while others are
 * still added: a reader that has come to the end waits for more.
 */
export class ChunkSpool {
  readonly #spool: MessageSpool<typeof ExportChunksSchema>;
  readonly #firstRows: number[] = [];
  #pending: SpooledChunk[] = [];
  #pendingCharacters = 0;
  #count = 0;
  #isComplete = false;
  #failure: { readonly error: unknown } | undefined;
  readonly #readers = new Set<Bell>();

  /** @param spool an empty one, which the caller closes. */
  constructor(spool: MessageSpool<typeof ExportChunksSchema>) {
    this.#spool = spool;
  }

  /** How many chunks it holds so far. */
  get count(): number {
    return this.#count;
  }

  /** Whether all chunks were added. */
  get isComplete(): boolean {
    return this.#isComplete;
  }

  /** Adds a chunk; its row is the count before. */
  async add(chunk: SpooledChunk): Promise<void> {
    this.#pending.push(chunk);
    this.#pendingCharacters += chunk.text.length;
    this.#count++;
    if (this.#pending.length >= maxChunksPerBatch || this.#pendingCharacters >= maxCharactersPerBatch)
      await this.#write();
  }

  /** To be called once all chunks were added. */
  async complete(): Promise<void> {
    await this.#write();
    this.#isComplete = true;
    this.#wake();
  }

  /** Has all readers fail with this error: no more chunks will come. */
  fail(error: unknown): void {
    this.#failure = { error };
    this.#wake();
  }

  /** Resolves once there is a batch to read, or there will be none. */
  async begun(): Promise<void> {
    await this.#hasBatch(0);
  }

  /** All chunks in order, batch by batch. */
  async *batches(): AsyncGenerator<{ firstRow: number; chunks: ExportChunk[] }> {
    for (let position = 0; await this.#hasBatch(position); position++) {
      yield { firstRow: this.#firstRows[position] ?? 0, chunks: (await this.#spool.at(position)).chunks };
    }
  }

  /** Some chunks by row, in the order asked for. */
  async rows(rows: readonly number[]): Promise<ExportChunk[]> {
    const found = new Map<number, ExportChunk>();
    for (const row of [...rows].sort((a, b) => a - b)) {
      if (found.has(row)) continue;
      const position = this.#firstRows.findLastIndex((firstRow) => firstRow <= row);
      const firstRow = this.#firstRows[position] ?? 0;
      const { chunks } = await this.#spool.at(position);
      chunks.forEach((chunk, i) => {
        found.set(firstRow + i, chunk);
      });
    }
    return rows.map((row) => {
      const chunk = found.get(row);
      if (!chunk) throw new RangeError(`the run has ${this.#count} chunks, none at row ${row}`);
      return chunk;
    });
  }

  async #write(): Promise<void> {
    if (this.#pending.length === 0) return;
    const firstRow = this.#count - this.#pending.length;
    await this.#spool.append({ chunks: this.#pending });
    this.#firstRows.push(firstRow);
    this.#pending = [];
    this.#pendingCharacters = 0;
    this.#wake();
  }

  /** Waits for a batch; false when all chunks were added and it is not among them. */
  async #hasBatch(position: number): Promise<boolean> {
    const bell = new Bell();
    this.#readers.add(bell);
    try {
      while (position >= this.#firstRows.length) {
        if (this.#failure) throw this.#failure.error;
        if (this.#isComplete) return false;
        await bell.wait();
      }
      return true;
    } finally {
      this.#readers.delete(bell);
    }
  }

  #wake(): void {
    for (const bell of this.#readers) bell.ring();
  }
}
