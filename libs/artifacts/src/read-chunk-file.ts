import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { ArtifactError, readError } from "./artifact-error.js";
import { JsonListError, jsonList } from "./json-list.js";

/** A chunk as a chunk file holds it. */
export interface ChunkRecord {
  readonly text: string;
  /** Everything the chunker knew, untouched; of a record without `metadata`, its other keys. */
  readonly metadata: Record<string, unknown>;
}

/** A record that was left out of a chunk file that is otherwise good. */
export interface SkippedRecord {
  readonly path: string;
  /** Position in the file's list, from 1. */
  readonly position: number;
  /** A sentence. */
  readonly reason: string;
}

/** How {@link readChunkFile} reads. */
export interface ReadChunkFileOptions {
  /**
   * Largest file that is read, in bytes. Memory does not depend on it; it stops files that were given by mistake.
   * @default 1 GiB
   */
  readonly maxBytes?: number;
  /** Told of each record whose text is empty or blank: it has no meaning to encode, so it is left out. */
  readonly onSkipped?: (skipped: SkippedRecord) => void;
}

const listKeys = ["chunks", "data", "records", "items"];
const fix = "Make the file again with the chunker, or leave it out.";

/**
 * Reads a chunk file, `<document>_chunks.json`: a list of `{text, metadata}` or an object with such a list under
 * `chunks`, `data`, `records` or `items`. The file is read twice, first to check all of it, so that a damaged file yields
 * no record at all; memory holds one record at a time.
 * @throws ArtifactError, on the first step, when the file is missing, empty, too large, not UTF-8, not JSON, or a record
 * has no text.
 */
export async function* readChunkFile(
  path: string,
  options: ReadChunkFileOptions = {},
): AsyncGenerator<ChunkRecord, void, undefined> {
  const maxBytes = options.maxBytes ?? 2 ** 30;
  const { size } = await stat(path).catch((error: unknown) => {
    throw readError(error, path);
  });
  if (size === 0) throw new ArtifactError("INVALID_FORMAT", `${path} is empty. ${fix}`);
  if (size > maxBytes) {
    throw new ArtifactError(
      "INVALID_FORMAT",
      `${path} has ${size} bytes, more than the ${maxBytes} that are read. Split it into smaller files.`,
    );
  }
  let records = 0;
  for await (const _ of readRecords(path)) records++;
  if (records === 0)
    throw new ArtifactError("EMPTY", `${path} holds no chunks: its list is empty. Nothing of it is used.`);
  let position = 0;
  for await (const record of readRecords(path)) {
    position++;
    if (record.text.trim() === "") options.onSkipped?.({ path, position, reason: "The text is blank." });
    else yield record;
  }
}

async function* readRecords(path: string): AsyncGenerator<ChunkRecord, void, undefined> {
  let position = 0;
  try {
    for await (const value of jsonList(readText(path), listKeys)) {
      position++;
      yield toRecord(value);
    }
  } catch (error) {
    if (!(error instanceof JsonListError)) throw error;
    const where =
      error instanceof RecordError
        ? `: record ${position}`
        : position === 0
          ? ""
          : `, after ${position} whole records:`;
    throw new ArtifactError("INVALID_FORMAT", `${path}${where} ${error.message}. ${fix}`, { cause: error });
  }
}

class RecordError extends JsonListError {}

function toRecord(value: unknown): ChunkRecord {
  if (!isObject(value)) throw new RecordError("is not an object");
  const { text, metadata, ...others } = value;
  if (typeof text !== "string")
    throw new RecordError(text === undefined ? 'has no "text"' : 'has a "text" that is not a string');
  if (metadata === undefined || metadata === null) return { text, metadata: others };
  if (!isObject(metadata)) throw new RecordError('has "metadata" that is not an object');
  return { text, metadata };
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

async function* readText(path: string): AsyncGenerator<string, void, undefined> {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  let at = 0;
  try {
    for await (const bytes of createReadStream(path, { highWaterMark: 2 ** 18 }) as AsyncIterable<Buffer>) {
      yield decoder.decode(bytes, { stream: true });
      at += bytes.length;
    }
    yield decoder.decode();
  } catch (error) {
    if (error instanceof TypeError) {
      throw new JsonListError(`is not UTF-8 text (after byte ${at})`, { cause: error });
    }
    throw readError(error, path);
  }
}
