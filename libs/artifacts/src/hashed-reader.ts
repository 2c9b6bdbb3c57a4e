import { createHash } from "node:crypto";
import { type FileHandle, open } from "node:fs/promises";
import { ArtifactError, readError } from "./artifact-error.js";

const readBytes = 2 ** 20;
// No artifact has longer lines; a damaged file without line ends must not fill the memory.
const maxLineBytes = 2 ** 28;

/** What is told while files are read. */
export interface ReadWatch {
  /** Called with the bytes of each read. */
  readonly onBytes?: (bytes: number) => void;
  /** Stops the reading. */
  readonly signal?: AbortSignal;
}

/**
 * Reads a file once, front to back, and hashes it on the way. Memory holds one read, or the longest line.
 * What it returns are views that hold until its next call. A file that cannot be read on seems to end there; `finish`
 * tells why.
 */
export class HashedReader {
  readonly path: string;
  /** Bytes in the file when it was opened. */
  readonly size: number;
  readonly #handle: FileHandle;
  readonly #watch: ReadWatch;
  readonly #hash = createHash("sha256");
  #buffer = Buffer.allocUnsafe(readBytes);
  #start = 0;
  #end = 0;
  #bytes = 0;
  #atEnd = false;
  #cut = false;
  #failure: Error | undefined;

  private constructor(path: string, handle: FileHandle, size: number, watch: ReadWatch) {
    this.path = path;
    this.size = size;
    this.#handle = handle;
    this.#watch = watch;
  }

  /**
   * Opens a file.
   * @throws ArtifactError when it is missing or cannot be read.
   */
  static async open(path: string, watch: ReadWatch = {}): Promise<HashedReader> {
    try {
      const handle = await open(path);
      const stats = await handle.stat();
      if (stats.isFile()) return new HashedReader(path, handle, stats.size, watch);
      await handle.close();
    } catch (error) {
      throw readError(error, path);
    }
    throw new ArtifactError("UNREADABLE", `${path} is not a file. Check the path.`);
  }

  /** Whether the last line had no line end (the file was cut short), or none within 256 MiB. */
  get lastLineIsCut(): boolean {
    return this.#cut;
  }

  /** The next `length` bytes, or undefined when fewer are left. */
  async bytes(length: number): Promise<Buffer | undefined> {
    // A damaged header may ask for any length; no memory is taken for what the file cannot have.
    if (length > this.size) return undefined;
    while (this.#end - this.#start < length) if (!(await this.#fill(length))) return undefined;
    const view = this.#buffer.subarray(this.#start, this.#start + length);
    this.#start += length;
    return view;
  }

  /** The next line without its end, or undefined after the last. */
  async line(): Promise<Buffer | undefined> {
    let searched = 0;
    for (;;) {
      const end = this.#buffer.subarray(0, this.#end).indexOf(10, this.#start + searched);
      if (end !== -1) {
        const view = this.#buffer.subarray(this.#start, end);
        this.#start = end + 1;
        return view;
      }
      searched = this.#end - this.#start;
      if (searched >= maxLineBytes) {
        this.#start = this.#end;
        this.#cut = true;
        return this.#buffer.subarray(0, 0);
      }
      if (await this.#fill(searched + 1)) continue;
      if (searched === 0) return undefined;
      this.#cut = true;
      const view = this.#buffer.subarray(this.#start, this.#end);
      this.#start = this.#end;
      return view;
    }
  }

  /**
   * Reads what is left. Returns the file's size and SHA-256.
   * @throws ArtifactError when the file could not be read to its end.
   */
  async finish(): Promise<{ bytes: number; sha256: string }> {
    do this.#start = this.#end;
    while (await this.#fill(1));
    if (this.#failure) throw this.#failure;
    return { bytes: this.#bytes, sha256: this.#hash.digest("hex") };
  }

  async close(): Promise<void> {
    await this.#handle.close();
  }

  /** Reads more behind what is left, with room for `wanted` bytes. Returns false at the end of the file. */
  async #fill(wanted: number): Promise<boolean> {
    if (this.#atEnd) return false;
    this.#watch.signal?.throwIfAborted();
    if (wanted > this.#buffer.length) {
      const larger = Buffer.allocUnsafe(Math.max(wanted, this.#buffer.length * 2));
      this.#buffer.copy(larger, 0, this.#start, this.#end);
      this.#buffer = larger;
    } else this.#buffer.copyWithin(0, this.#start, this.#end);
    this.#end -= this.#start;
    this.#start = 0;
    let bytesRead = 0;
    try {
      ({ bytesRead } = await this.#handle.read(this.#buffer, this.#end, this.#buffer.length - this.#end));
    } catch (error) {
      const known = readError(error, this.path);
      this.#failure = known instanceof Error ? known : new Error(String(known));
    }
    this.#atEnd = bytesRead === 0;
    this.#hash.update(this.#buffer.subarray(this.#end, this.#end + bytesRead));
    this.#end += bytesRead;
    this.#bytes += bytesRead;
    this.#watch.onBytes?.(bytesRead);
    return !this.#atEnd;
  }
}
