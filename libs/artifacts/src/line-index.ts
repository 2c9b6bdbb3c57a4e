import { type FileHandle, open } from "node:fs/promises";
import { ArtifactError, readError } from "./artifact-error.js";
import { readLines } from "./read-lines.js";

/** Random access to the lines of a file, by one pass over it that keeps 8 bytes per line. */
export class LineIndex {
  readonly #path: string;
  readonly #offsets: ArrayLike<number>;

  private constructor(path: string, offsets: ArrayLike<number>) {
    this.#path = path;
    this.#offsets = offsets;
  }

  /**
   * Makes the index.
   * @throws ArtifactError when the file cannot be read.
   */
  static async build(path: string): Promise<LineIndex> {
    const offsets = [0];
    for await (const line of readLines(path)) offsets.push(line.offset + line.bytes.length + 1);
    return new LineIndex(path, offsets);
  }

  /** An index whose places are known: where each line begins, and one entry more, where the next one would. */
  static fromOffsets(path: string, offsets: ArrayLike<number>): LineIndex {
    return new LineIndex(path, offsets);
  }

  get count(): number {
    return this.#offsets.length - 1;
  }

  /**
   * The lines with these numbers, from 0, in the order asked for.
   * @throws ArtifactError when there is no such line or the file cannot be read.
   */
  async read(numbers: readonly number[]): Promise<Buffer[]> {
    const handle = await open(this.#path).catch((error: unknown) => {
      throw readError(error, this.#path);
    });
    try {
      const lines: Buffer[] = [];
      for (const number of numbers) lines.push(await this.#readLine(handle, number));
      return lines;
    } finally {
      await handle.close();
    }
  }

  async #readLine(handle: FileHandle, number: number): Promise<Buffer> {
    const [start, end] = [this.#offsets[number], this.#offsets[number + 1]];
    if (start === undefined || end === undefined) {
      throw new ArtifactError(
        "INVALID_ARGUMENT",
        `${this.#path} has ${this.count} lines; there is no line ${number} (counted from 0).`,
      );
    }
    const bytes = Buffer.alloc(end - start - 1);
    for (let at = 0; at < bytes.length; ) {
      const { bytesRead } = await handle.read(bytes, at, bytes.length - at, start + at);
      if (bytesRead === 0)
        throw new ArtifactError(
          "INVALID_FORMAT",
          `${this.#path} was cut short while it was read. Run again to write it anew.`,
        );
      at += bytesRead;
    }
    return bytes;
  }
}
