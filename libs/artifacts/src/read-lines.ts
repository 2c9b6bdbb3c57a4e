import { createReadStream } from "node:fs";
import { readError } from "./artifact-error.js";

/** A line of a file, without its end. */
export interface Line {
  /** From 0. */
  readonly number: number;
  /** Position of its first byte. */
  readonly offset: number;
  /** A view that holds until the next line is asked for. */
  readonly bytes: Buffer;
}

/**
 * The lines of a file as bytes, split at "\n"; memory holds the longest line. An empty last line is left out.
 * @throws ArtifactError when the file cannot be read.
 */
export async function* readLines(path: string): AsyncGenerator<Line, void, undefined> {
  let number = 0;
  let offset = 0;
  // Pieces of a line that is longer than a read.
  let pieces: Buffer[] = [];
  const take = (last: Buffer): Line => {
    const bytes = pieces.length === 0 ? last : Buffer.concat([...pieces, last]);
    pieces = [];
    const line = { number: number++, offset, bytes };
    offset += bytes.length + 1;
    return line;
  };
  try {
    for await (const read of createReadStream(path, { highWaterMark: 2 ** 18 }) as AsyncIterable<Buffer>) {
      let start = 0;
      for (let end = read.indexOf(10); end !== -1; end = read.indexOf(10, start)) {
        yield take(read.subarray(start, end));
        start = end + 1;
      }
      if (start < read.length) pieces.push(read.subarray(start));
    }
  } catch (error) {
    throw readError(error, path);
  }
  if (pieces.length > 0) yield take(Buffer.alloc(0));
}
