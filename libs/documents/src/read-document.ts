import { createHash } from "node:crypto";
import { readFile, stat } from "node:fs/promises";
import { basename, extname } from "node:path";
import { toByteSpans } from "./byte-spans.js";
import { decodeText } from "./decode.js";
import { DocumentError } from "./document-error.js";
import { parseHtml } from "./formats/html-blocks.js";
import { parseMarkdown } from "./formats/markdown-blocks.js";
import { parsePlainText } from "./formats/text-blocks.js";
import type { DocumentFormat, ParsedText, SourceDocument } from "./source-document.js";
import type { SourceSpan } from "./source-span.js";

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
  if (bytes.length === 0) throw empty(where);
  const decoded = decodeText(bytes, where);
  let parsed: ParsedText;
  try {
    parsed = reader.parse(decoded.text);
  } catch (error) {
    throw new DocumentError("unparsable", `${where} could not be parsed as ${reader.format}: ${String(error)}`, {
      cause: error,
    });
  }
  if (parsed.blocks.length === 0) throw empty(where);
  const sha256 = createHash("sha256").update(bytes).digest("hex");
  const { text, blocks, skippedCharacters } = parsed;
  const { encoding } = decoded;
  const sourceSpans = toByteSpans(parsed.sourceSpans ?? [wholeSource(text)], decoded);
  const read = { encoding, text, blocks, sourceSpans, skippedCharacters };
  return { relativePath, extension, format: reader.format, ...read, sha256, bytes: bytes.byteLength };
}

function wholeSource({ length }: string): SourceSpan {
  return { kind: "text", start: 0, end: length, textStart: 0, textEnd: length, verbatim: true };
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
