import type { ExportChunk, ExportChunksSchema } from "@ragline/contracts";
import type { MessageSpool } from "./message-spool.js";

type SpooledChunk = Pick<ExportChunk, "id" | "text" | "metadataJson">;

// One message of the spool is one request to a stage: small enough that the first vectors come soon, large enough that
// a message costs little beside the computing.
const maxChunksPerBatch = 16;
const maxCharactersPerBatch = 1 << 20;

/** The chunks of a run on disk, in order, in batches of the size that the stages are sent. */
export class ChunkSpool {
  readonly #spool: MessageSpool<typeof ExportChunksSchema>;
  readonly #firstRows: number[] = [];
  #pending: SpooledChunk[] = [];
  #pendingCharacters = 0;
  #count = 0;

  /** @param spool an empty one, which the caller closes. */
  constructor(spool: MessageSpool<typeof ExportChunksSchema>) {
    this.#spool = spool;
  }

  /** How many chunks it holds. */
  get count(): number {
    return this.#count;
  }

  /** Adds a chunk; its row is the count before. */
  async add(chunk: SpooledChunk): Promise<void> {
    this.#pending.push(chunk);
    this.#pendingCharacters += chunk.text.length;
    this.#count++;
    if (this.#pending.length >= maxChunksPerBatch || this.#pendingCharacters >= maxCharactersPerBatch)
      await this.flush();
  }

  /** Writes what is still in memory; to be called once all chunks were added. */
  async flush(): Promise<void> {
    if (this.#pending.length === 0) return;
    this.#firstRows.push(this.#count - this.#pending.length);
    await this.#spool.append({ chunks: this.#pending });
    this.#pending = [];
    this.#pendingCharacters = 0;
  }

  /** All chunks in order, batch by batch. */
  async *batches(): AsyncGenerator<{ firstRow: number; chunks: ExportChunk[] }> {
    for (const [position, firstRow] of this.#firstRows.entries()) {
      yield { firstRow, chunks: (await this.#spool.at(position)).chunks };
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
}
