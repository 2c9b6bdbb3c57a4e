import { type FileHandle, open } from "node:fs/promises";
import { placeFile } from "@ragline/files";

const magic = Buffer.from("RAGSRCH1", "latin1");
const alignment = 8;

/** Where a section is in a file. */
interface SectionPlace {
  readonly offset: number;
  readonly bytes: number;
}

interface Head<Meta> {
  readonly meta: Meta;
  readonly sections: Readonly<Record<string, SectionPlace>>;
}

/** An array whose bytes are a section. */
export type SectionArray = Uint8Array | Uint32Array | Float32Array | Float64Array;

/**
 * Writes a file of named arrays; it appears when it is complete. Layout: "RAGSRCH1", u32 length of a JSON head
 * (`meta`, `sections` with offset and bytes), then the sections at multiples of 8 bytes, in the host's byte order.
 */
export async function writeSections(
  path: string,
  meta: object,
  sections: Readonly<Record<string, SectionArray>>,
): Promise<void> {
  const places: Record<string, SectionPlace> = {};
  const entries = Object.entries(sections);
  // Offsets are relative to the end of the head, whose length depends on them.
  let end = 0;
  for (const [name, { byteLength }] of entries) {
    places[name] = { offset: end, bytes: byteLength };
    end = align(end + byteLength);
  }
  const json = Buffer.from(JSON.stringify({ meta, sections: places }));
  const head = Buffer.alloc(align(magic.length + 4 + json.length), " ");
  magic.copy(head);
  head.writeUInt32LE(head.length - magic.length - 4, magic.length);
  json.copy(head, magic.length + 4);
  await placeFile(path, async (partialPath) => {
    const file = await open(partialPath, "w");
    try {
      await file.writeFile(head);
      for (const [, array] of entries) {
        await file.writeFile(new Uint8Array(array.buffer, array.byteOffset, array.byteLength));
        await file.writeFile(Buffer.alloc(align(array.byteLength) - array.byteLength));
      }
    } finally {
      await file.close();
    }
  });
}

const align = (bytes: number): number => Math.ceil(bytes / alignment) * alignment;

/** A file that `writeSections` wrote; sections are read when they are asked for. */
export class SectionFile<Meta> {
  readonly meta: Meta;
  readonly #file: FileHandle;
  readonly #start: number;
  readonly #sections: Head<Meta>["sections"];

  private constructor(file: FileHandle, start: number, head: Head<Meta>) {
    this.meta = head.meta;
    this.#file = file;
    this.#start = start;
    this.#sections = head.sections;
  }

  /** Opens a file, or returns undefined when it is not there, not of this format, or not complete. */
  static async open<Meta>(path: string): Promise<SectionFile<Meta> | undefined> {
    const file = await open(path).catch(() => undefined);
    if (file === undefined) return undefined;
    try {
      const lead = await readAt(file, 0, magic.length + 4);
      const length = Buffer.from(lead.buffer).readUInt32LE(magic.length);
      const { size } = await file.stat();
      const start = lead.length + length;
      if (magic.equals(lead.subarray(0, magic.length)) && start <= size) {
        const head = JSON.parse(Buffer.from(await readAt(file, lead.length, length)).toString()) as Head<Meta>;
        const ends = Object.values(head.sections).map(({ offset, bytes }) => start + align(offset + bytes));
        if (Math.max(start, ...ends) === size) return new SectionFile(file, start, head);
      }
    } catch {
      // Cut short or not JSON: as if it were not there.
    }
    await file.close();
    return undefined;
  }

  /** A section's bytes, aligned for any array; throws RangeError for a name that there is not. */
  async read(name: string): Promise<ArrayBuffer> {
    const place = this.#sections[name];
    if (place === undefined) throw new RangeError(`there is no section ${name}`);
    return (await readAt(this.#file, this.#start + place.offset, place.bytes)).buffer;
  }

  close(): Promise<void> {
    return this.#file.close();
  }
}

/** A read takes less than 2 GiB at a time. */
const maxRead = 2 ** 30;

async function readAt(file: FileHandle, position: number, length: number): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = new Uint8Array(length);
  for (let at = 0; at < length; ) {
    const { bytesRead } = await file.read(bytes, at, Math.min(maxRead, length - at), position + at);
    if (bytesRead === 0) throw new RangeError(`the file ends after ${position + at} bytes`);
    at += bytesRead;
  }
  return bytes;
}
