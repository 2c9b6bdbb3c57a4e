import { type JsonBytes, type StagedFile, sparseRowJson, writeFrames } from "@ragline/artifacts";
import type { SparseBlock } from "@ragline/vectors";
import { assertNextRows } from "./dense-files.js";
import { inputError } from "./export-plan.js";

/** Takes one sparse model's rows in order and spools them as JSON: three frames per row (vector, tokens, stats). */
export class SparseSpool {
  readonly name: string;
  readonly file: StagedFile;
  rows = 0;
  readonly #json: JsonBytes;
  readonly #rowCount: number;

  constructor(name: string, rowCount: number, json: JsonBytes, file: StagedFile) {
    this.name = name;
    this.#rowCount = rowCount;
    this.#json = json;
    this.file = file;
  }

  /** Takes the next rows. Throws ArtifactError INVALID_ARGUMENT when they do not fit together. */
  async add(block: SparseBlock): Promise<void> {
    const lengths = Array.from(block.rowLengths);
    const [indices, values] = [Array.from(block.indices), Array.from(block.values)];
    const tokens = block.tokens ?? [];
    assertNextRows(this.name, block.firstIndex, lengths.length, this.rows, this.#rowCount);
    const total = lengths.reduce((sum, length) => sum + length, 0);
    if (total !== indices.length || total !== values.length || (tokens.length > 0 && tokens.length !== total)) {
      throw inputError(
        `A block of ${this.name} promises ${total} entries but has ${indices.length} indices, ${values.length} values and ${tokens.length} tokens.`,
      );
    }
    let at = 0;
    for (const length of lengths) {
      const end = at + length;
      const rowIndices = indices.slice(at, end);
      const rowValues = values.slice(at, end);
      if (rowIndices.some((index, i) => i > 0 && index <= (rowIndices[i - 1] ?? 0))) {
        throw inputError(
          `The indices in row ${this.rows} of ${this.name} do not increase. Sort them and send each once.`,
        );
      }
      if (!rowValues.every(Number.isFinite))
        throw inputError(`Row ${this.rows} of ${this.name} holds a value that is not a finite number.`);
      const row = sparseRowJson(this.#json, rowIndices, rowValues, tokens.slice(at, end));
      await writeFrames(this.file, [row.vector, row.tokens, row.stats]);
      at = end;
      this.rows++;
    }
  }
}
