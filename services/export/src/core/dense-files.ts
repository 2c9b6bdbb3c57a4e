import type { RunStats, StagedFile } from "@ragline/artifacts";
import { type DenseBlock, toFloat32Bytes } from "@ragline/vectors";
import { type DenseSpacePlan, inputError } from "./export-plan.js";

/** Takes one dense model's rows in order and writes them to its files, whose headers are written already. */
export class DenseFiles {
  readonly space: DenseSpacePlan;
  rows = 0;
  readonly #files: readonly StagedFile[];
  readonly #rowCount: number;
  #smallest = Number.POSITIVE_INFINITY;
  #largest = 0;
  #normSum = 0;

  constructor(space: DenseSpacePlan, rowCount: number, files: readonly StagedFile[]) {
    this.space = space;
    this.#rowCount = rowCount;
    this.#files = files;
  }

  /** Takes the next rows. Throws ArtifactError INVALID_ARGUMENT when they do not fit or hold a value that is not finite. */
  async add(block: DenseBlock): Promise<void> {
    const { name, dimension } = this.space;
    if (block.columns !== dimension || block.values.length % dimension !== 0) {
      throw inputError(
        `A block of ${name} has ${block.columns} columns and ${block.values.length} values; its rows must have ${dimension} columns.`,
      );
    }
    const rows = block.values.length / dimension;
    assertNextRows(name, block.firstIndex, rows, this.rows, this.#rowCount);
    for (let row = 0; row < rows; row++) this.#measure(block.values, row);
    const bytes = toFloat32Bytes(block.values);
    for (const file of this.#files) await file.write(bytes);
    this.rows += rows;
  }

  #measure(values: Float32Array, row: number): void {
    const { name, dimension } = this.space;
    let squares = 0;
    for (let i = row * dimension; i < (row + 1) * dimension; i++) squares += (values[i] ?? 0) ** 2;
    if (!Number.isFinite(squares))
      throw inputError(`Row ${this.rows + row} of ${name} holds a value that is not a finite number.`);
    const norm = Math.sqrt(squares);
    this.#normSum += norm;
    this.#smallest = Math.min(this.#smallest, norm);
    this.#largest = Math.max(this.#largest, norm);
  }

  /** Spread of the rows' Euclidean lengths. */
  get norm(): RunStats["dense"][number]["norm"] {
    return { min: this.#smallest, max: this.#largest, mean: this.#normSum / this.rows };
  }
}

/** Refuses a block that leaves a gap, comes twice, or goes past the end. */
export function assertNextRows(space: string, firstIndex: number, rows: number, next: number, rowCount: number): void {
  if (firstIndex !== next)
    throw inputError(
      `A block of ${space} starts at row ${firstIndex}, but row ${next} is next. Send rows in order and without gaps.`,
    );
  if (next + rows > rowCount)
    throw inputError(`${space} was sent ${next + rows} rows, but the export was opened for ${rowCount} chunks.`);
}
