import { DocumentError } from "./document-error.js";

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: false });

/** A file's text and how it stands in the file's bytes. */
export interface DecodedText {
  /** Without the byte order mark. */
  readonly text: string;
  /** WHATWG name of the encoding. */
  readonly encoding: string;
  /** Bytes of the byte order mark, 0 without one. */
  readonly markBytes: number;
}

/**
 * Decodes the bytes of a text file.
 * @param where The file as messages should name it.
 * @throws DocumentError when they are no text.
 */
export function decodeText(bytes: Uint8Array, where: string): DecodedText {
  if ((bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff)) {
    throw new DocumentError("invalid_utf8", `${where} starts with a UTF-16 byte order mark; save it as UTF-8`);
  }
  const nul = bytes.indexOf(0);
  if (nul >= 0) {
    throw new DocumentError(
      "binary",
      `${where} has a NUL byte at offset ${nul}, so it is no text; remove it from the inputs`,
    );
  }
  const markBytes = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? 3 : 0;
  try {
    return { text: utf8.decode(bytes), encoding: "utf-8", markBytes };
  } catch (error) {
    const at = firstInvalidByte(bytes);
    throw new DocumentError("invalid_utf8", `${where} is not valid UTF-8 at byte offset ${at}; save it as UTF-8`, {
      cause: error,
    });
  }
}

/** Bytes of a text in an encoding that `decodeText` names. */
export function encodedLength(text: string, encoding: string): number {
  if (encoding !== "utf-8") throw new RangeError(`no text is decoded from ${encoding}`);
  return Buffer.byteLength(text);
}

/** The offset of the first byte that is not part of well-formed UTF-8. */
function firstInvalidByte(bytes: Uint8Array): number {
  // Well-formed input decodes to the same bytes again; a replacement shows where it first did not.
  const again = new TextEncoder().encode(new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes));
  return bytes.findIndex((byte, i) => again[i] !== byte);
}
