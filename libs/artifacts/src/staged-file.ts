import { createHash } from "node:crypto";
import { type FileHandle, open } from "node:fs/promises";
import { writeError } from "./artifact-error.js";

/** A file that was written to its end. */
export interface OutputFile {
  /** Relative to the output directory. */
  readonly name: string;
  readonly bytes: number;
  /** SHA-256, lowercase hexadecimal. */
  readonly sha256: string;
}

const bufferBytes = 2 ** 20;

/** A file in a staging directory, hashed and counted while it is written. */
export class StagedFile {
  readonly name: string;
  /** Where the bytes are until the file is moved into place. */
  readonly path: string;
  readonly #target: string;
  readonly #handle: FileHandle;
  readonly #hash = createHash("sha256");
  #buffer = Buffer.allocUnsafe(bufferBytes);
  #buffered = 0;
  #bytes = 0;

  private constructor(name: string, path: string, target: string, handle: FileHandle) {
    this.name = name;
    this.path = path;
    this.#target = target;
    this.#handle = handle;
  }

  /**
   * Opens a new file.
   * @param target where it will end up, for error messages.
   */
  static async create(name: string, path: string, target: string): Promise<StagedFile> {
    try {
      return new StagedFile(name, path, target, await open(path, "w"));
    } catch (error) {
      throw writeError(error, target);
    }
  }

  /**
   * Appends bytes, which are copied or written before the promise ends: await it, so that memory stays flat.
   * @throws ArtifactError when the file system refuses.
   */
  async write(bytes: Uint8Array): Promise<void> {
    if (this.#buffered + bytes.length > bufferBytes) await this.#flush();
    if (bytes.length >= bufferBytes) return this.#append(bytes);
    this.#buffer.set(bytes, this.#buffered);
    this.#buffered += bytes.length;
  }

  /**
   * Writes what is left, forces it to the disk and closes the file.
   * @throws ArtifactError when the file system refuses.
   */
  async finish(): Promise<OutputFile> {
    await this.#flush();
    try {
      await this.#handle.sync();
    } catch (error) {
      throw writeError(error, this.#target);
    }
    await this.close();
    return { name: this.name, bytes: this.#bytes, sha256: this.#hash.digest("hex") };
  }

  /** Gives the file descriptor back; a file that was not finished stays incomplete. */
  async close(): Promise<void> {
    this.#buffer = Buffer.alloc(0);
    this.#buffered = 0;
    await this.#handle.close();
  }

  async #flush(): Promise<void> {
    const length = this.#buffered;
    this.#buffered = 0;
    if (length > 0) await this.#append(this.#buffer.subarray(0, length));
  }

  async #append(bytes: Uint8Array): Promise<void> {
    this.#hash.update(bytes);
    this.#bytes += bytes.length;
    try {
      await this.#handle.appendFile(bytes);
    } catch (error) {
      throw writeError(error, this.#target);
    }
  }
}
