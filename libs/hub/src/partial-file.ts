import { constants } from "node:fs";
import { type FileHandle, open, rm } from "node:fs/promises";
import { HubError } from "./hub-error.js";

/** Parts of this size are fetched side by side, and are what is kept when a process dies. */
export const defaultSegmentBytes = 16 * 1024 ** 2;

// A link in place of the file would let somebody else choose what is written to.
const flags = constants.O_RDWR | constants.O_CREAT | (constants.O_NOFOLLOW ?? 0);

async function openPlain(path: string, more = 0): Promise<FileHandle> {
  try {
    return await open(path, flags | more, 0o644);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== "ELOOP") throw cause;
    throw new HubError("cannot_write", `cannot write ${path}: it is a link, which nobody should have put there`, {
      cause,
    });
  }
}

/** A file that comes in segments, in any order, with a journal of those that are there: what came outlives the process. */
export class PartialFile {
  readonly path: string;
  readonly bytes: number;
  readonly segmentBytes: number;
  readonly #file: FileHandle;
  readonly #journal: FileHandle;
  readonly #done: Set<number>;

  private constructor(
    path: string,
    size: { bytes: number; segmentBytes: number },
    handles: { file: FileHandle; journal: FileHandle; done: Set<number> },
  ) {
    this.path = path;
    this.bytes = size.bytes;
    this.segmentBytes = size.segmentBytes;
    this.#file = handles.file;
    this.#journal = handles.journal;
    this.#done = handles.done;
  }

  /** Opens what an earlier process left, or begins anew where that was of another size. */
  static async open(path: string, bytes: number, segmentBytes = defaultSegmentBytes): Promise<PartialFile> {
    const file = await openPlain(path);
    const journal = await openPlain(journalPath(path), constants.O_APPEND).catch(async (error: unknown) => {
      await file.close();
      throw error;
    });
    const head = JSON.stringify({ bytes, segmentBytes });
    const [first, ...lines] = (await journal.readFile("utf8")).split("\n");
    const count = Math.ceil(bytes / segmentBytes);
    // The last line may have been cut when the process died: only what ends with a line break counts.
    const indices = lines.slice(0, -1).map(Number);
    const isOurs = first === head && lines.length > 0 && indices.every((index) => index >= 0 && index < count);
    if (!isOurs) {
      await journal.truncate(0);
      await journal.appendFile(`${head}\n`);
    }
    await file.truncate(bytes);
    return new PartialFile(path, { bytes, segmentBytes }, { file, journal, done: new Set(isOurs ? indices : []) });
  }

  /** Segments that are still to come. */
  get missing(): number[] {
    const count = Math.ceil(this.bytes / this.segmentBytes);
    return Array.from({ length: count }, (_, index) => index).filter((index) => !this.#done.has(index));
  }

  /** Bytes in the segments that are there. */
  get bytesDone(): number {
    let sum = 0;
    for (const index of this.#done) sum += this.lengthOf(index);
    return sum;
  }

  /** Where a segment begins. */
  startOf(index: number): number {
    return index * this.segmentBytes;
  }

  /** Size of a segment; that of the last one is what is left. */
  lengthOf(index: number): number {
    return Math.min(this.segmentBytes, this.bytes - this.startOf(index));
  }

  /** Writes bytes at their place. */
  async write(chunk: Uint8Array, position: number): Promise<void> {
    for (let at = 0; at < chunk.length; ) {
      const { bytesWritten } = await this.#file.write(chunk, at, chunk.length - at, position + at);
      at += bytesWritten;
    }
  }

  /** Notes that all bytes of a segment are written. */
  async finish(index: number): Promise<void> {
    this.#done.add(index);
    await this.#journal.appendFile(`${index}\n`);
  }

  /** Forgets all that came. */
  async reset(): Promise<void> {
    this.#done.clear();
    await this.#journal.truncate(0);
    await this.#journal.appendFile(`${JSON.stringify({ bytes: this.bytes, segmentBytes: this.segmentBytes })}\n`);
  }

  /** Brings the bytes to the disk, for good. */
  sync(): Promise<void> {
    return this.#file.sync();
  }

  /** Closes both files; the journal of a finished file is removed by {@link removeJournal}. */
  async close(): Promise<void> {
    await Promise.all([this.#file.close(), this.#journal.close()]);
  }
}

function journalPath(path: string): string {
  return `${path}.segments`;
}

/** Removes what a partial file keeps beside itself. */
export async function removeJournal(path: string): Promise<void> {
  await rm(journalPath(path), { force: true });
}

/** How many bytes of a partial file are there already. */
export async function partialBytes(path: string, bytes: number, segmentBytes = defaultSegmentBytes): Promise<number> {
  const journal = await open(journalPath(path), constants.O_RDONLY).catch(() => undefined);
  if (!journal) return 0;
  try {
    const [first, ...lines] = (await journal.readFile("utf8")).split("\n");
    if (first !== JSON.stringify({ bytes, segmentBytes })) return 0;
    return Math.min(bytes, (lines.length - 1) * segmentBytes);
  } finally {
    await journal.close();
  }
}
