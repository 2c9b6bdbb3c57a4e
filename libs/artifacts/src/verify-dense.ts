import { fromFloat32Bytes } from "@ragline/vectors";
import type { HashedReader } from "./hashed-reader.js";
import type { Manifest } from "./manifest.js";
import { readNpyHeader } from "./npy.js";
import type { RunStats } from "./run-stats.js";
import type { VerifyProblems } from "./verify-problems.js";

/** How far from 1 the Euclidean length of a dense vector may be. */
const normTolerance = 1e-3;
/** How far the figures in the stats file may be from what the rows give. */
const figureTolerance = 1e-6;

/** Chunks of a model that have no vector, as the manifest tells: their rows are zero. */
function rowsWithoutVector({ outcomes = [] }: Manifest, model: string): number {
  const told = outcomes.filter(
    (outcome) => outcome.stage === "dense" && outcome["model"] === model && outcome.reason === "out_of_memory",
  );
  return told.reduce((sum, { count }) => sum + (typeof count === "number" ? count : 0), 0);
}

/**
 * Checks the rows of one dense model's `.npy` file: shape, finite values, unit length. A row of zeros is in order only
 * where the manifest tells of a chunk without a vector.
 */
export class DenseRows {
  readonly name: string;
  readonly dimension: number;
  readonly file: string;
  readonly reader: HashedReader;
  /** The current row: as values, and as the file's bytes. Both hold until the next row. */
  values: Float32Array = new Float32Array();
  bytes: Buffer = Buffer.alloc(0);
  rows = 0;
  readonly #problems: VerifyProblems;
  readonly #rowCount: number;
  #smallest = Number.POSITIVE_INFINITY;
  #largest = 0;
  #normSum = 0;
  #zerosLeft: number;

  private constructor(
    space: { name: string; dimension: number; file: string },
    { rowCount, zeroRows }: { rowCount: number; zeroRows: number },
    reader: HashedReader,
    problems: VerifyProblems,
  ) {
    this.name = space.name;
    this.dimension = space.dimension;
    this.file = space.file;
    this.reader = reader;
    this.#rowCount = rowCount;
    this.#zerosLeft = zeroRows;
    this.#problems = problems;
  }

  /** Reads the header. Returns undefined, after saying why, when the rows cannot be read. */
  static async open(
    space: { name: string; dimension: number; file: string },
    manifest: Manifest,
    reader: HashedReader,
    problems: VerifyProblems,
  ): Promise<DenseRows | undefined> {
    const { rows, columns, dataOffset } = await readNpyHeader(reader.path);
    if (rows !== manifest.chunk_count || columns !== space.dimension) {
      const expected = `${manifest.chunk_count} chunks of dimension ${space.dimension}`;
      problems.add(space.file, "count", `is a (${rows}, ${columns}) matrix, but the run has ${expected}`);
    }
    if (columns !== space.dimension || !(await reader.bytes(dataOffset))) return undefined;
    const zeroRows = rowsWithoutVector(manifest, space.name);
    return new DenseRows(space, { rowCount: rows, zeroRows }, reader, problems);
  }

  /** Goes to the next row and checks it. Returns false after the last. */
  async next(): Promise<boolean> {
    const bytes = this.rows < this.#rowCount ? await this.reader.bytes(this.dimension * 4) : undefined;
    if (!bytes) return false;
    this.bytes = bytes;
    this.values = fromFloat32Bytes(bytes);
    let squares = 0;
    for (const value of this.values) squares += value * value;
    const norm = Math.sqrt(squares);
    if (!Number.isFinite(squares))
      this.#problems.add(this.file, "value", "holds a value that is not a finite number", this.rows);
    else if (norm === 0 && this.#zerosLeft > 0) this.#zerosLeft--;
    else if (Math.abs(norm - 1) > normTolerance)
      this.#problems.add(this.file, "value", `holds a vector of length ${norm.toPrecision(6)} instead of 1`, this.rows);
    this.#normSum += norm;
    this.#smallest = Math.min(this.#smallest, norm);
    this.#largest = Math.max(this.#largest, norm);
    this.rows++;
    return true;
  }

  /** Compares what the stats file says about the rows with what they are. */
  checkNorm({ min, max, mean }: RunStats["dense"][number]["norm"], statsFile: string): void {
    const differs = (told: number, found: number): boolean => !(Math.abs(told - found) <= figureTolerance);
    if (differs(min, this.#smallest) || differs(max, this.#largest) || differs(mean, this.#normSum / this.rows))
      this.#problems.add(statsFile, "mismatch", `tells other vector lengths of ${this.name} than ${this.file} has`);
  }
}
