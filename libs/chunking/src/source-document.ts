import { createHash } from "node:crypto";
import { readFile, stat } from "node:fs/promises";
import { basename, extname } from "node:path";
import type { Block, ParsedText } from "./block.js";
import { DocumentError } from "./document-error.js";
import { parseHtml } from "./html-blocks.js";
import { parseMarkdown } from "./markdown-blocks.js";
import { parsePlainText } from "./text-blocks.js";

export type DocumentFormat = "markdown" | "text" | "html";

/** A document that was read: its text, what stands where in it, and what identifies it. */
export interface SourceDocument {
  /** Slashes on every system; never absolute. Identifies the document together with its bytes. */
  readonly relativePath: string;
  /** Lower case with its dot, such as ".md". */
  readonly extension: string;
  readonly format: DocumentFormat;
  /** Decoded text without a byte order mark. For HTML the visible text, else the file's text as it is. */
  readonly text: string;
  readonly blocks: readonly Block[];
  /** Characters of the file that `text` leaves out on purpose (scripts, styles, comments in HTML). */
  readonly skippedCharacters: number;
  /** Of the file's bytes, in hex. */
  readonly sha256: string;
  /** Size of the file. */
  readonly bytes: number;
}

export interface ReadOptions {
  /** Files above this many bytes are refused. @default 67108864 (64 MiB) */
  maxBytes?: number;
}

interface Reader {
  readonly format: DocumentFormat;
  readonly parse: (text: string) => ParsedText;
}

const markdown: Reader = { format: "markdown", parse: parseMarkdown };
const plainText: Reader = { format: "text", parse: parsePlainText };
const html: Reader = { format: "html", parse: parseHtml };

/** A reader for each extension; a new format is a new entry here. */
const readers: ReadonlyMap<string, Reader> = new Map([
  [".md", markdown],
  [".markdown", markdown],
  [".txt", plainText],
  [".html", html],
  [".htm", html],
]);

/** The extensions that can be read, with their dots, in lower case. */
export const supportedExtensions: readonly string[] = [...readers.keys()];

const defaultMaxBytes = 64 * 1024 * 1024;
const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: false });

/**
 * Reads and parses a file.
 * @param file Where it is, and the relative path that identifies it (its bare name when left out).
 * @throws DocumentError
 */
export async function readDocument(
  file: { readonly path: string; readonly relativePath?: string },
  options: ReadOptions = {},
): Promise<SourceDocument> {
  const { path, relativePath = basename(path) } = file;
  return parseDocument(relativePath, await readBytes(path, options.maxBytes ?? defaultMaxBytes), path);
}

/**
 * Decodes and parses a file's bytes.
 * @param where The file as messages should name it.
 * @throws DocumentError
 */
export function parseDocument(relativePath: string, bytes: Uint8Array, where = relativePath): SourceDocument {
  const extension = extname(relativePath).toLowerCase();
  const reader = readers.get(extension);
  if (reader === undefined) throw unsupported(where, extension);
  const decoded = decode(bytes, where);
  let parsed: ParsedText;
  try {
    parsed = reader.parse(decoded);
  } catch (error) {
    throw new DocumentError("unparsable", `${where} could not be parsed as ${reader.format}: ${String(error)}`, {
      cause: error,
    });
  }
  if (parsed.blocks.length === 0) throw empty(where);
  const sha256 = createHash("sha256").update(bytes).digest("hex");
  return { relativePath, extension, format: reader.format, ...parsed, sha256, bytes: bytes.byteLength };
}

/** The error for a file of a kind that has no reader. */
export function unsupported(where: string, extension: string): DocumentError {
  const kind = extension === "" ? "a file without an extension" : `a ${extension} file`;
  return new DocumentError(
    "unsupported",
    `${where} is ${kind}, which cannot be read; convert it to one of ${supportedExtensions.join(", ")}`,
  );
}

function empty(where: string): DocumentError {
  return new DocumentError("empty", `${where} holds no text; remove it from the inputs or fill it`);
}

async function readBytes(path: string, maxBytes: number): Promise<Uint8Array> {
  try {
    // Looked at before it is opened: opening a named pipe would wait for its writer.
    const entry = await stat(path);
    if (!entry.isFile())
      throw new DocumentError("unreadable", `${path} is not a regular file; give a file or a directory`);
    if (entry.size > maxBytes) {
      throw new DocumentError(
        "too_large",
        `${path} has ${entry.size} bytes, over the limit of ${maxBytes}; split it into smaller files`,
      );
    }
    return await readFile(path);
  } catch (error) {
    if (error instanceof DocumentError) throw error;
    const reason = (error as NodeJS.ErrnoException).code === "ENOENT" ? "missing" : "unreadable";
    throw new DocumentError(
      reason,
      `${path} cannot be read: ${(error as Error).message}; check the path and its permissions`,
      {
        cause: error,
      },
    );
  }
}

function decode(bytes: Uint8Array, where: string): string {
  if (bytes.length === 0) throw empty(where);
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
  try {
    return utf8.decode(bytes);
  } catch (error) {
    const at = firstInvalidByte(bytes);
    throw new DocumentError("invalid_utf8", `${where} is not valid UTF-8 at byte offset ${at}; save it as UTF-8`, {
      cause: error,
    });
  }
}

/** The offset of the first byte that is not part of well-formed UTF-8. */
function firstInvalidByte(bytes: Uint8Array): number {
  // Well-formed input decodes to the same bytes again; a replacement shows where it first did not.
  const again = new TextEncoder().encode(new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes));
  return bytes.findIndex((byte, i) => again[i] !== byte);
}
