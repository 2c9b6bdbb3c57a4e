import { type FileHandle, open } from "node:fs/promises";
import { type DenseBlock, fromFloat32Bytes } from "@ragline/vectors";
import { ArtifactError, readError } from "./artifact-error.js";

const magic = Buffer.from("\x93NUMPY", "latin1");

/** Shape of a matrix file. */
export interface NpyHeader {
  readonly rows: number;
  readonly columns: number;
  /** Position of the first value's first byte. */
  readonly dataOffset: number;
}

/**
 * Header of a `.npy` file, version 1.0, for a little-endian float32 matrix in row order; the values follow it. The same
 * bytes as `numpy.save` writes: numpy leaves room for a row count of 21 digits and pads the whole to a multiple of 64.
 * Format: https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
 */
export function npyHeader(rows: number, columns: number): Buffer {
  const growth = " ".repeat(21 - String(rows).length);
  const text = `{'descr': '<f4', 'fortran_order': False, 'shape': (${rows}, ${columns}), }${growth}`;
  const padding = 64 - ((magic.length + 4 + text.length + 1) % 64);
  const header = Buffer.from(`${text}${" ".repeat(padding)}\n`, "latin1");
  const lead = Buffer.from([...magic, 1, 0, 0, 0]);
  lead.writeUInt16LE(header.length, 8);
  return Buffer.concat([lead, header]);
}

/**
 * Reads the header of a `.npy` file of any version and checks it against the file's size.
 * @throws ArtifactError when it is not a little-endian float32 matrix in row order, or is cut short.
 */
export async function readNpyHeader(path: string): Promise<NpyHeader> {
  const handle = await openToRead(path);
  try {
    return await parseHeader(handle, path);
  } finally {
    await handle.close();
  }
}

/**
 * Streams the rows of a float32 `.npy` matrix in blocks. A block's memory is its own and may be kept.
 * @param maxBlockBytes most bytes in one block, but at least one row. @default 1 MiB
 * @throws ArtifactError as `readNpyHeader`.
 */
export async function* readNpy(path: string, maxBlockBytes = 2 ** 20): AsyncGenerator<DenseBlock, void, undefined> {
  const handle = await openToRead(path);
  try {
    const { rows, columns, dataOffset } = await parseHeader(handle, path);
    const rowBytes = columns * 4;
    const blockRows = Math.max(1, Math.floor(maxBlockBytes / Math.max(1, rowBytes)));
    for (let firstIndex = 0; firstIndex < rows; firstIndex += blockRows) {
      const count = Math.min(blockRows, rows - firstIndex);
      const bytes = await readExactly(handle, path, dataOffset + firstIndex * rowBytes, count * rowBytes);
      yield { firstIndex, columns, values: fromFloat32Bytes(bytes) };
    }
  } finally {
    await handle.close();
  }
}

async function openToRead(path: string): Promise<FileHandle> {
  try {
    return await open(path);
  } catch (error) {
    throw readError(error, path);
  }
}

async function readExactly(handle: FileHandle, path: string, position: number, length: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(length);
  let at = 0;
  while (at < length) {
    const { bytesRead } = await handle.read(bytes, at, length - at, position + at).catch((error: unknown) => {
      throw readError(error, path);
    });
    if (bytesRead === 0) throw invalid(path, `ends after ${position + at} bytes, in the middle of its values`);
    at += bytesRead;
  }
  return bytes;
}

const invalid = (path: string, problem: string) =>
  new ArtifactError("INVALID_FORMAT", `${path} ${problem}. Run again to write it anew.`);

async function parseHeader(handle: FileHandle, path: string): Promise<NpyHeader> {
  const { size } = await handle.stat();
  if (size < 10) throw invalid(path, `has ${size} bytes, too few for a .npy file`);
  const lead = Buffer.from(await readExactly(handle, path, 0, Math.min(12, size)));
  if (!lead.subarray(0, 6).equals(magic))
    throw invalid(path, "is not a .npy file: it does not begin with the bytes 93 4E 55 4D 50 59");
  const wide = (lead[6] ?? 0) >= 2;
  const textStart = wide ? 12 : 10;
  const textLength = wide && size >= 12 ? lead.readUInt32LE(8) : lead.readUInt16LE(8);
  if (textStart + textLength > size) throw invalid(path, "ends in the middle of its header");
  const text = Buffer.from(await readExactly(handle, path, textStart, textLength)).toString("latin1");
  const type = /'descr':\s*'([^']*)'/.exec(text)?.[1];
  if (type !== "<f4")
    throw invalid(
      path,
      `holds ${type ?? "values of a structured type"}, but little-endian float32 ('<f4') is expected`,
    );
  if (!/'fortran_order':\s*False/.test(text)) throw invalid(path, "is in column order, but row order is expected");
  const shape = /'shape':\s*\((\d+),\s*(\d+)\s*\)/.exec(text);
  if (!shape)
    throw invalid(
      path,
      `has the shape ${/'shape':\s*(\([^)]*\))/.exec(text)?.[1] ?? "(none)"}, but a matrix (rows, columns) is expected`,
    );
  const [rows, columns] = [Number(shape[1]), Number(shape[2])];
  const dataOffset = textStart + textLength;
  const expected = dataOffset + rows * columns * 4;
  if (size !== expected)
    throw invalid(path, `has ${size} bytes, but a (${rows}, ${columns}) float32 matrix takes ${expected}`);
  return { rows, columns, dataOffset };
}
