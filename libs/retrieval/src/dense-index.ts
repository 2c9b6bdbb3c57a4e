import { availableParallelism } from "node:os";
import type { DenseBlock } from "@ragline/vectors";
import { type DenseSearchOptions, DenseShare } from "./dense-share.js";
import { SearchThread } from "./search-thread.js";
import { type ScoredRow, TopK } from "./top-k.js";

/** Rows of a matrix that one thread searches. */
interface Part {
  readonly firstRow: number;
  readonly endRow: number;
  readonly share: DenseShare | SearchThread;
}

/** How to load a {@link DenseIndex}. */
export interface DenseIndexOptions {
  /** Threads that search; with 1 it is the caller's own. @default one per core, but none for less than 8 MiB of vectors */
  readonly threads?: number;
}

/** Blocks that were sent to threads and have not been taken: what is read does not pile up. */
const blocksUnderWay = 8;

/** Below this a thread costs more than it saves. */
const valuesPerThread = 2 ** 21;

/**
 * Exact search by inner product over vectors in memory, spread over threads by rows. Results are those of `denseTopK`, to the
 * bit, whatever the number of threads. Takes rows x columns x 4 bytes.
 */
export class DenseIndex {
  readonly #columns: number;
  readonly #parts: readonly Part[];

  private constructor(columns: number, parts: readonly Part[]) {
    this.#columns = columns;
    this.#parts = parts;
  }

  /**
   * Reads all vectors.
   * @throws RangeError when a block does not fit the shape, or a thread's share would take 4 GiB or more.
   */
  static async load(
    blocks: AsyncIterable<DenseBlock> | Iterable<DenseBlock>,
    rows: number,
    columns: number,
    options: DenseIndexOptions = {},
  ): Promise<DenseIndex> {
    const useful = Math.min(availableParallelism(), Math.floor((rows * columns) / valuesPerThread));
    const threads = Math.max(1, options.threads ?? useful);
    const index = new DenseIndex(
      columns,
      Array.from({ length: threads }, (_, i): Part => {
        const firstRow = Math.floor((i * rows) / threads);
        const endRow = Math.floor(((i + 1) * rows) / threads);
        const shape = { firstRow, rows: endRow - firstRow, columns };
        return { firstRow, endRow, share: threads === 1 ? new DenseShare(shape) : new SearchThread(shape) };
      }),
    );
    try {
      const underWay: Promise<void>[] = [];
      for await (const block of blocks) {
        const set = index.#set(block);
        // Told when it is waited for, a few blocks later.
        set.catch(() => undefined);
        underWay.push(set);
        if (underWay.length > blocksUnderWay) await underWay.shift();
      }
      await Promise.all(underWay);
      return index;
    } catch (error) {
      await index.close();
      throw error;
    }
  }

  /**
   * For each query the k best rows: score descending, ties by row ascending. Several queries at once are compared with each
   * block of vectors while it is in the processor's cache.
   * @param queries as many values each as there are columns.
   * @throws RangeError when these are no whole number of queries.
   * @throws NonFiniteScoreError when a score is NaN or infinite.
   */
  async search(queries: Float32Array, options: DenseSearchOptions): Promise<ScoredRow[][]> {
    if (queries.length % this.#columns !== 0)
      throw new RangeError(`${queries.length} values are no whole number of queries of ${this.#columns}`);
    const answers = await Promise.allSettled(this.#parts.map(async ({ share }) => share.search(queries, options)));
    const found = answers.map((answer) => {
      if (answer.status === "rejected") throw answer.reason;
      return answer.value;
    });
    return Array.from({ length: queries.length / this.#columns }, (_, q) => {
      const best = new TopK(options.k);
      for (const lists of found) for (const { row, score } of lists[q] ?? []) best.offer(row, score);
      return best.ranked();
    });
  }

  /** Ends the threads; nothing may be asked any more. */
  async close(): Promise<void> {
    await Promise.all(
      this.#parts.map(async ({ share }) => {
        if (share instanceof SearchThread) await share.close();
      }),
    );
  }

  async #set({ firstIndex, columns, values }: DenseBlock): Promise<void> {
    const endIndex = firstIndex + values.length / columns;
    if (columns !== this.#columns || !Number.isInteger(endIndex) || endIndex > (this.#parts.at(-1)?.endRow ?? 0))
      throw new RangeError(
        `${values.length} values of ${columns} columns from row ${firstIndex} do not fit the index of ${this.#columns} columns`,
      );
    await Promise.all(
      this.#parts.map(async ({ firstRow, endRow, share }) => {
        const [from, to] = [Math.max(firstIndex, firstRow), Math.min(endIndex, endRow)];
        const own = values.subarray((from - firstIndex) * this.#columns, (to - firstIndex) * this.#columns);
        if (from < to) await share.set(from, own);
      }),
    );
  }
}
