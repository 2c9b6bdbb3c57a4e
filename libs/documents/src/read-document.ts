import { constants } from "node:buffer";
import { createHash } from "node:crypto";
import { readFile, stat } from "node:fs/promises";
import { basename, extname } from "node:path";
import { toByteSpans } from "./byte-spans.js";
import { type DecodedText, decodeText } from "./decode.js";
import { DocumentError } from "./document-error.js";
import type { FormatReader } from "./formats/format-reader.js";
import { readerOf } from "./formats/readers.js";
import type { ParsedText, SourceDocument } from "./source-document.js";
import type { SourceSpan } from "./source-span.js";

/** How large a file may be. */
export interface ReadOptions {
  /** Files above this many bytes, or above what a string can hold (512 MiB), are refused. @default 67108864 (64 MiB) */
  maxBytes?: number;
}

/** A file to read. */
export interface DocumentFile {
  readonly path: string;
  /** Identifies the document. @default the file's bare name */
  readonly relativePath?: string;
}

const defaultMaxBytes = 64 * 1024 * 1024;

/**
 * Reads and parses a file in this process, with no limit on time and memory but what the size of the file sets;
 * `DocumentReader` has these limits.
 * @throws DocumentError
 */
export async function readDocument(file: DocumentFile, options: ReadOptions = {}): Promise<SourceDocument> {
  const { path, relativePath = basename(path) } = file;
  return parseDocument(relativePath, await readBytes(path, options.maxBytes ?? defaultMaxBytes), path);
}

/**
 * Decodes and parses a file's bytes.
 * @param where The file as messages should name it.
 * @throws DocumentError
 */
export async function parseDocument(
  relativePath: string,
  bytes: Uint8Array,
  where = relativePath,
): Promise<SourceDocument> {
  const extension = extname(relativePath).toLowerCase();
  const reader = readerOf(extension);
  if (reader === undefined) throw unsupported(where, extension);
  if (bytes.length === 0) throw empty(where);
  const { format } = reader;
  const { text, blocks, skippedCharacters, ...read } = await parse(reader, bytes, where);
  if (blocks.length === 0) throw empty(where);
  const sha256 = createHash("sha256").update(bytes).digest("hex");
  return { relativePath, extension, format, text, blocks, ...read, skippedCharacters, sha256, bytes: bytes.byteLength };
}

type Parsed = Pick<SourceDocument, "encoding" | "text" | "blocks" | "sourceSpans" | "skippedCharacters">;

async function parse(reader: FormatReader, bytes: Uint8Array, where: string): Promise<Parsed> {
  const parser = await reader.load();
  try {
    if ("bytes" in parser) {
      const whole: SourceSpan = { kind: "binary", start: 0, end: bytes.length };
      return { sourceSpans: [whole], ...(await parser.bytes(bytes)) };
    }
    const decoded = decodeText(bytes, where);
    return withByteSpans(await parser.text(decoded.text), decoded);
  } catch (error) {
    if (error instanceof DocumentError) throw new DocumentError(error.reason, named(where, error), { cause: error });
    const why = error instanceof Error ? error.message : String(error);
    throw new DocumentError(
      "unparsable",
      `${where} could not be parsed as ${reader.format}: ${why}; check that it is whole and that its name fits its kind`,
      { cause: error },
    );
  }
}

/** Parsers know no names: their messages start with what is wrong. */
function named(where: string, { message }: DocumentError): string {
  return message.startsWith(where) ? message : `${where} ${message}`;
}

function withByteSpans(parsed: ParsedText, decoded: DecodedText): Parsed {
  const { text, blocks, skippedCharacters } = parsed;
  const spans = parsed.sourceSpans ?? [
    { kind: "text", start: 0, end: text.length, textStart: 0, textEnd: text.length, verbatim: true },
  ];
  const { encoding } = decoded;
  return { encoding, text, blocks, sourceSpans: toByteSpans(spans, decoded), skippedCharacters };
}

/** The error for a file of a kind that has no reader. */
export function unsupported(where: string, extension: string): DocumentError {
  const kind = extension === "" ? "a file without an extension" : `a ${extension} file`;
  return new DocumentError(
    "unsupported",
    `${where} is ${kind}, which cannot be read; convert it to a kind that is, such as .md, .html or .pdf`,
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
    if (entry.size > Math.min(maxBytes, constants.MAX_STRING_LENGTH)) {
      throw new DocumentError(
        "too_large",
        `${path} has ${entry.size} bytes, over the limit of ${Math.min(maxBytes, constants.MAX_STRING_LENGTH)}; split it, or raise the limit (--max-file-bytes)`,
      );
    }
    return await readFile(path);
  } catch (error) {
    if (error instanceof DocumentError) throw error;
    const reason = (error as NodeJS.ErrnoException).code === "ENOENT" ? "missing" : "unreadable";
    throw new DocumentError(
      reason,
      `${path} cannot be read: ${(error as Error).message}; check the path and its permissions`,
      { cause: error },
    );
  }
}
