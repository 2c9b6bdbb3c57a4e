import { type Entry, fromBufferPromise, type ZipFile } from "yauzl";
import { DocumentError } from "../document-error.js";

/** Unpacked bytes of an archive's XML files; real documents stay far below, archives made to explode far above. */
const maxUnpackedBytes = 256 * 1024 * 1024;
const compoundFile = [0xd0, 0xcf, 0x11, 0xe0];

/** The XML files of an Office document or a book, unpacked one at a time when they are asked for. */
export class ZipArchive {
  readonly #zip: ZipFile;
  readonly #entries: ReadonlyMap<string, Entry>;

  private constructor(zip: ZipFile, entries: ReadonlyMap<string, Entry>) {
    this.#zip = zip;
    this.#entries = entries;
  }

  /**
   * Reads the directory of an archive.
   * @throws DocumentError for what is no archive, is encrypted, or unpacks to more than 256 MiB of XML.
   */
  static async open(bytes: Uint8Array): Promise<ZipArchive> {
    if (compoundFile.every((byte, i) => bytes[i] === byte)) {
      throw new DocumentError(
        "encrypted",
        "is protected by a password or of a format from before 2007; save it without the password, in the newer format",
      );
    }
    if (bytes[0] !== 0x50 || bytes[1] !== 0x4b) {
      throw new DocumentError("unparsable", "is no zip archive, as its kind should be; check its name");
    }
    const zip = await fromBufferPromise(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
    const entries = new Map<string, Entry>();
    let unpacked = 0;
    for await (const entry of zip.eachEntry()) {
      if (entry.isEncrypted()) {
        throw new DocumentError("encrypted", "is an archive with a password; unpack it and save it without");
      }
      entries.set(entry.fileName, entry);
      if (/\.(?:xml|rels|x?html?|opf|ncx|vml)$/i.test(entry.fileName)) unpacked += entry.uncompressedSize;
      if (unpacked > maxUnpackedBytes) {
        throw new DocumentError("too_large", `unpacks to more than ${maxUnpackedBytes} bytes of XML; split it`);
      }
    }
    return new ZipArchive(zip, entries);
  }

  has(name: string): boolean {
    return this.#entries.has(name);
  }

  /** The text of a file in it, undefined where it has none of this name. */
  async text(name: string): Promise<string | undefined> {
    const entry = this.#entries.get(name);
    if (entry === undefined) return undefined;
    const parts: Buffer[] = [];
    for await (const part of await this.#zip.openReadStreamPromise(entry)) parts.push(part as Buffer);
    const bytes = Buffer.concat(parts);
    const isUtf16 = (bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff);
    const encoding = isUtf16 ? (bytes[0] === 0xff ? "utf-16le" : "utf-16be") : "utf-8";
    return new TextDecoder(encoding).decode(bytes);
  }

  /** How many letters the XML files of some names hold between their tags. */
  async charactersOf(isCounted: (name: string) => boolean): Promise<number> {
    let characters = 0;
    for (const name of this.#entries.keys()) {
      if (isCounted(name)) characters += ((await this.text(name)) ?? "").replace(/<[^>]*>/g, "").trim().length;
    }
    return characters;
  }

  /** The text of a file that must be there. */
  async required(name: string): Promise<string> {
    const text = await this.text(name);
    if (text === undefined)
      throw new DocumentError("unparsable", `has no ${name}, as its kind should; check that it is whole`);
    return text;
  }
}
