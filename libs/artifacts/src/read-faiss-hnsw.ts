import { type FileHandle, open } from "node:fs/promises";
import { isMissing } from "@ragline/files";
import type { HnswGraph } from "@ragline/hnsw";
import { ArtifactError, readError } from "./artifact-error.js";

/** Bytes of a FAISS index header: type, columns, rows, two constants, whether it is trained, metric. */
const headerBytes = 4 + 33;

/**
 * The graph of a FAISS file of type IndexHNSWFlat ("IHNf"), as `faissHnswHead` describes it, without the vectors; undefined
 * when there is no such file or it is of another type, such as a flat index.
 * @throws ArtifactError when it cannot be read or is cut short.
 */
export async function readFaissHnsw(path: string): Promise<HnswGraph | undefined> {
  let file: FileHandle;
  try {
    file = await open(path);
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw readError(error, path);
  }
  try {
    const reader = new Reader(file, path);
    const head = await reader.take(headerBytes);
    if (head.toString("latin1", 0, 4) !== "IHNf") return undefined;
    const layerProbabilities = new Float64Array(await reader.vector(8));
    const slotsBelow = new Int32Array(await reader.vector(4));
    const levels = new Int32Array(await reader.vector(4));
    const offsets = Float64Array.from(new BigUint64Array(await reader.vector(8)), Number);
    const neighbors = new Int32Array(await reader.vector(4));
    const end = await reader.take(12);
    if (!isSound(levels.length, offsets, neighbors, end.readInt32LE(0))) {
      throw new ArtifactError(
        "INVALID_FORMAT",
        `${path} has links to rows that there are not. Run again to write it anew.`,
      );
    }
    const m = ((slotsBelow[1] ?? 0) - (slotsBelow[0] ?? 0)) / 2;
    return {
      m,
      efConstruction: end.readInt32LE(8),
      layerProbabilities,
      slotsBelow,
      levels,
      offsets,
      neighbors,
      entryPoint: end.readInt32LE(0),
      maxLayer: end.readInt32LE(4),
    };
  } finally {
    await file.close();
  }
}

/** Whether every link, and where a search begins, is inside: a search follows them without looking. */
function isSound(rows: number, offsets: Float64Array, neighbors: Int32Array, entryPoint: number): boolean {
  return (
    offsets.length === rows + 1 &&
    offsets.every((offset, row) => offset >= (offsets[row - 1] ?? 0) && offset <= neighbors.length) &&
    entryPoint < rows &&
    neighbors.every((row) => row < rows)
  );
}

/** Reads a file from its start, piece after piece. */
class Reader {
  readonly #file: FileHandle;
  readonly #path: string;
  #position = 0;

  constructor(file: FileHandle, path: string) {
    this.#file = file;
    this.#path = path;
  }

  async take(length: number): Promise<Buffer<ArrayBuffer>> {
    const { size } = await this.#file.stat();
    if (this.#position + length > size) throw this.#cutShort();
    const bytes = Buffer.from(new ArrayBuffer(length));
    for (let at = 0; at < length; ) {
      const { bytesRead } = await this.#file.read(bytes, at, Math.min(2 ** 30, length - at), this.#position);
      if (bytesRead === 0) throw this.#cutShort();
      at += bytesRead;
      this.#position += bytesRead;
    }
    return bytes;
  }

  #cutShort(): ArtifactError {
    return new ArtifactError(
      "INVALID_FORMAT",
      `${this.#path} ends in the middle of its graph. Run again to write it anew.`,
    );
  }

  /** The elements of a `vector<T>`, behind their count. */
  async vector(width: 4 | 8): Promise<ArrayBuffer> {
    const count = Number((await this.take(8)).readBigUInt64LE(0));
    return (await this.take(count * width)).buffer;
  }
}
