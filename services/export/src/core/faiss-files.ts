import {
  faissFlatIpHeader,
  faissHnswHead,
  faissId,
  faissIdMapEnd,
  faissIdMapHeader,
  readNpy,
  type StagedFile,
} from "@ragline/artifacts";
import { buildHnsw, VectorTable } from "@ragline/hnsw";
import { toFloat32Bytes } from "@ragline/vectors";
import { type FaissIndexKind, inputError } from "./export-plan.js";

/** The FAISS files of a run; one that is undefined is not written. */
export interface FaissTargets {
  readonly kind: FaissIndexKind;
  readonly index: StagedFile | undefined;
  readonly ids: StagedFile | undefined;
}

/** Writes the FAISS files over the primary dense model: flat ones as the rows come, the graph when all are there. */
export class FaissFiles {
  readonly #targets: FaissTargets;
  readonly #shape: readonly [rows: number, columns: number];
  readonly #ids: BigInt64Array;
  #count = 0;

  private constructor(targets: FaissTargets, rows: number, columns: number) {
    this.#targets = targets;
    this.#shape = [rows, columns];
    this.#ids = new BigInt64Array(targets.ids ? rows : 0);
  }

  /** Writes the headers of the files that take rows as they come. Takes 8 bytes of memory per row with ids, else none. */
  static async open(targets: FaissTargets, rows: number, columns: number): Promise<FaissFiles> {
    const { kind, index, ids } = targets;
    if (kind === "flat") await index?.write(faissFlatIpHeader(rows, columns));
    await ids?.write(faissIdMapHeader(rows, columns));
    return new FaissFiles(targets, rows, columns);
  }

  /** The files that every block of rows has to be written to. */
  get rowFiles(): readonly StagedFile[] {
    const { kind, index, ids } = this.#targets;
    return [kind === "flat" ? index : undefined, ids].filter((file) => file !== undefined);
  }

  /** Takes the point of the next row. */
  addPoint(uuid: string): void {
    if (this.#targets.ids) this.#ids[this.#count++] = faissId(uuid);
  }

  /**
   * Writes what comes after the rows of the id-mapped file. Takes another 8 bytes per row.
   * @throws ArtifactError INVALID_ARGUMENT when two points have the same FAISS id.
   */
  async endIds(): Promise<void> {
    if (!this.#targets.ids) return;
    const sorted = this.#ids.toSorted();
    const twice = sorted.find((id, i) => i > 0 && id === sorted[i - 1]);
    if (twice !== undefined)
      throw inputError(
        `Two points have UUIDs with the same first 63 bits (${twice.toString(16).padStart(16, "0")}), which are their ids in FAISS. Export without the id-mapped index (--faiss-ids).`,
      );
    await this.#targets.ids.write(faissIdMapEnd(this.#ids));
  }

  /**
   * Builds the graph over the rows of a finished `.npy` file and writes its index, when that was asked for. Memory holds the
   * whole matrix and about 600 bytes per row; other work of the thread gets its turn all the while.
   * @param signal stops the work.
   * @throws ArtifactError INVALID_ARGUMENT when the matrix is too large.
   */
  async writeGraph(npyPath: string, signal?: AbortSignal): Promise<void> {
    const { kind, index } = this.#targets;
    if (kind !== "hnsw" || !index) return;
    const [rows, columns] = this.#shape;
    const table = tableFor(rows, columns);
    for await (const { firstIndex, values } of readNpy(npyPath)) {
      signal?.throwIfAborted();
      table.set(firstIndex, values);
    }
    const graph = await buildHnsw(table, signal ? { signal } : {});
    for (const bytes of faissHnswHead(rows, columns, graph)) await index.write(bytes);
    for await (const { values } of readNpy(npyPath)) {
      signal?.throwIfAborted();
      await index.write(toFloat32Bytes(values));
    }
  }
}

function tableFor(rows: number, columns: number): VectorTable {
  try {
    return new VectorTable(rows, columns);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    const gibibytes = ((rows * columns * 4) / 2 ** 30).toFixed(1);
    throw inputError(
      `A FAISS index of type hnsw needs all ${rows} vectors in memory, ${gibibytes} GiB, which cannot be had (${error.message}). Use --faiss-index flat.`,
    );
  }
}
