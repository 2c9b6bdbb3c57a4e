import { createReadStream } from "node:fs";
import { readError } from "./artifact-error.js";
import type { StagedFile } from "./staged-file.js";

/** Appends byte strings of any content to a scratch file, each after its length (u32, little-endian). */
export async function writeFrames(file: StagedFile, frames: readonly Uint8Array[]): Promise<void> {
  for (const frame of frames) {
    const length = Buffer.allocUnsafe(4);
    length.writeUInt32LE(frame.length);
    await file.write(length);
    await file.write(frame);
  }
}

/** Reads back what `writeFrames` wrote, in order; memory holds the longest frame. */
export async function* readFrames(path: string): AsyncGenerator<Buffer, void, undefined> {
  let left: Buffer = Buffer.alloc(0);
  try {
    for await (const read of createReadStream(path, { highWaterMark: 2 ** 18 }) as AsyncIterable<Buffer>) {
      left = left.length === 0 ? read : Buffer.concat([left, read]);
      let at = 0;
      while (left.length - at >= 4) {
        const end = at + 4 + left.readUInt32LE(at);
        if (end > left.length) break;
        yield left.subarray(at + 4, end);
        at = end;
      }
      left = left.subarray(at);
    }
  } catch (error) {
    throw readError(error, path);
  }
}
