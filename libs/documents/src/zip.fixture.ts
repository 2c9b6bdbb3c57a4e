import { crc32, deflateRawSync } from "node:zlib";

/** A file of an archive, with what it may lie about. */
export interface ZipEntry {
  readonly name: string;
  readonly content: string | Uint8Array;
  /** @default its true size */
  readonly declaredSize?: number;
  readonly isEncrypted?: boolean;
}

const packedContents = new Map<ZipEntry["content"], Buffer>();

/** Large contents are packed once. */
function pack(content: ZipEntry["content"]): Buffer {
  const packed = packedContents.get(content) ?? deflateRawSync(content, { level: 1 });
  packedContents.set(content, packed);
  return packed;
}

/** A zip archive, honest or not. */
export function makeZip(entries: readonly ZipEntry[]): Buffer {
  const files: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const { name, content, declaredSize, isEncrypted = false } of entries) {
    const data = Buffer.from(content);
    const packed = pack(content);
    const fields = Buffer.alloc(26);
    fields.writeUInt16LE(20, 0);
    fields.writeUInt16LE(isEncrypted ? 1 : 0, 2);
    fields.writeUInt16LE(8, 4);
    fields.writeUInt32LE(crc32(data), 10);
    fields.writeUInt32LE(packed.length, 14);
    fields.writeUInt32LE(declaredSize ?? data.length, 18);
    fields.writeUInt16LE(Buffer.byteLength(name), 22);
    const local = Buffer.concat([Buffer.from("PK\u0003\u0004"), fields, Buffer.from(name), packed]);
    const rest = Buffer.alloc(14);
    rest.writeUInt32LE(offset, 10);
    directory.push(
      Buffer.concat([Buffer.from("PK\u0001\u0002"), Buffer.from([20, 0]), fields, rest, Buffer.from(name)]),
    );
    files.push(local);
    offset += local.length;
  }
  const central = Buffer.concat(directory);
  const end = Buffer.alloc(18);
  end.writeUInt16LE(entries.length, 4);
  end.writeUInt16LE(entries.length, 6);
  end.writeUInt32LE(central.length, 8);
  end.writeUInt32LE(offset, 12);
  return Buffer.concat([...files, central, Buffer.from("PK\u0005\u0006"), end]);
}
