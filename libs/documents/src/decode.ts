import { analyse } from "chardet";
import iconv from "iconv-lite";
import { DocumentError } from "./document-error.js";

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: false });

/** A file's text and how it stands in the file's bytes. */
export interface DecodedText {
  /** Without the byte order mark. */
  readonly text: string;
  /** In lower case, such as "utf-8", "utf-16le" or "shift_jis". */
  readonly encoding: string;
  /** Bytes of the byte order mark, 0 without one. */
  readonly markBytes: number;
}

/** Bytes from which the encoding of a file that is not UTF-8 is told. */
const sampleBytes = 64 * 1024;
/** Out of 100; below it the detector's guess is no better than another. */
const minConfidence = 20;
/** Western text has more letters without accents than with; a file of other signs is none. */
const maxWesternShare = 0.3;

/**
 * Decodes the bytes of a text file: UTF-8, UTF-16 with a byte order mark, else the legacy encoding that fits best.
 * @param where The file as messages should name it.
 * @throws DocumentError when they are no text, or UTF-8 that is damaged.
 */
export function decodeText(bytes: Uint8Array, where: string): DecodedText {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return decodeUtf16(bytes, "utf-16le", where);
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return decodeUtf16(bytes, "utf-16be", where);
  const nul = bytes.indexOf(0);
  if (nul >= 0) throw binary(where, `a NUL byte at offset ${nul}`);
  const markBytes = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? 3 : 0;
  try {
    return { text: utf8.decode(bytes), encoding: "utf-8", markBytes };
  } catch (error) {
    const at = firstInvalidByte(bytes);
    const legacy = isDamagedUtf8(bytes) ? undefined : decodeLegacy(bytes, at);
    if (legacy === undefined) {
      throw new DocumentError("invalid_utf8", `${where} is not valid UTF-8 at byte offset ${at}; save it as UTF-8`, {
        cause: error,
      });
    }
    const control = Array.from(legacy.text).find((letter) => letter < " " && !"\t\n\v\f\r\u001b".includes(letter));
    if (control !== undefined) throw binary(where, `a control character (code ${control.charCodeAt(0)})`);
    return legacy;
  }
}

/** Bytes of a text in an encoding that `decodeText` names. */
export function encodedLength(text: string, encoding: string): number {
  if (encoding === "utf-8") return Buffer.byteLength(text);
  if (encoding.startsWith("utf-16")) return text.length * 2;
  return isSingleByte(encoding) ? text.length : iconv.encode(text, encoding).length;
}

function isSingleByte(encoding: string): boolean {
  return /^(?:windows-|iso-8859-|koi8-)/.test(encoding);
}

function decodeUtf16(bytes: Uint8Array, encoding: string, where: string): DecodedText {
  let text: string;
  try {
    text = new TextDecoder(encoding, { fatal: true }).decode(bytes);
  } catch (error) {
    throw new DocumentError(
      "invalid_utf16",
      `${where} starts with a UTF-16 byte order mark but is not valid UTF-16 (a lone surrogate, or cut off); save it as UTF-8`,
      { cause: error },
    );
  }
  if (text.includes("\0")) throw binary(where, "a NUL character");
  return { text, encoding, markBytes: 2 };
}

function decodeLegacy(bytes: Uint8Array, firstInvalid: number): DecodedText | undefined {
  const from = Math.max(0, firstInvalid - sampleBytes / 2);
  const sample = bytes.subarray(from, from + sampleBytes);
  const guesses = analyse(sample).filter(({ name }) => !/^(?:UTF-|ASCII)/.test(name));
  const best = guesses.find(({ confidence }) => confidence >= minConfidence)?.name.toLowerCase();
  const isWestern = sample.filter((byte) => byte >= 0x80).length <= sample.length * maxWesternShare;
  const encoding = best === "iso-8859-1" || (best === undefined && isWestern) ? "windows-1252" : best;
  if (encoding === undefined || !iconv.encodingExists(encoding)) return undefined;
  const text = iconv.decode(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength), encoding);
  // Without a replacement and of the same length again, so that every letter's bytes are known.
  const isExact = !text.includes("\ufffd") && encodedLength(text, encoding) === bytes.length;
  return isExact ? { text, encoding, markBytes: 0 } : undefined;
}

/** Whether bytes that are no valid UTF-8 were it once: most of their signs are, the end is cut, or a surrogate is encoded. */
function isDamagedUtf8(bytes: Uint8Array): boolean {
  const text = new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes);
  const invalid = text.match(/\ufffd/g)?.length ?? 0;
  const valid = text.match(/[^\0-\x7f\ufffd]/gu)?.length ?? 0;
  const isCut = invalid === 1 && text.endsWith("\ufffd") && (bytes.at(-1) ?? 0) < 0xc0;
  return valid >= invalid || isCut || /\xed[\xa0-\xbf][\x80-\xbf]/.test(Buffer.from(bytes).toString("latin1"));
}

function binary(where: string, what: string): DocumentError {
  return new DocumentError("binary", `${where} has ${what}, so it is no text; remove it from the inputs`);
}

/** The offset of the first byte that is not part of well-formed UTF-8. */
function firstInvalidByte(bytes: Uint8Array): number {
  // Well-formed input decodes to the same bytes again; a replacement shows where it first did not.
  const again = new TextEncoder().encode(new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes));
  return bytes.findIndex((byte, i) => again[i] !== byte);
}
