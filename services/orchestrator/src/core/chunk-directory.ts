import { stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import {
  CHUNK_STATE_NAME,
  type ChunkState,
  type ChunkStateDocument,
  readChunkFile,
  readChunkState,
  StagedDirectory,
  type StagedFile,
  sha256File,
  sha256Of,
} from "@ragline/artifacts";
import { type ChunkFilesOptions, chunkerVersion, chunkFiles, recordJson } from "@ragline/chunking";
import { type FoundDocument, findDocuments } from "@ragline/documents";
import { chunkFileNames } from "./chunk-file-names.js";
import type { SkippedInput } from "./collect-chunks.js";

/** What became of a document since the directory was written last. */
export type DocumentChange = "added" | "changed" | "unchanged";

/** A document and its chunk file. */
export interface WrittenDocument extends ChunkStateDocument {
  readonly change: DocumentChange;
  /** Of a document that changed: chunks with a content id that it had before, and those that it had and has no more. */
  readonly kept?: number;
  readonly gone?: number;
}

/** What was written. */
export interface ChunkDirectorySummary {
  /** Absolute path of the directory. */
  readonly directory: string;
  /** In the order of their relative paths. */
  readonly documents: readonly WrittenDocument[];
  /** Relative paths of documents whose chunk files were removed, since they are not among the inputs any more. */
  readonly removed: readonly string[];
  readonly skipped: readonly SkippedInput[];
  /** Whether chunk files of another run were kept where nothing had changed. */
  readonly incremental: boolean;
}

/** What is chunked, and into which directory. */
export interface ChunkDirectoryOptions {
  readonly inputs: readonly string[];
  readonly directory: string;
  readonly chunking: ChunkFilesOptions;
  /** Chunks only documents whose bytes changed, or all if the options did. @default false */
  readonly incremental?: boolean;
  readonly signal: AbortSignal;
  /** Told how many of all documents are done. @default nothing */
  readonly onProgress?: (done: number, total: number) => void;
}

/**
 * Writes a chunk file for each document among files and directories, `<document>_chunks.json`, and a state file that says
 * what they were made from. All files appear together, at the end, or none; chunk files that an earlier call made of
 * documents that are gone are removed with them.
 * @throws DocumentError when an input is missing; ArtifactError when the directory cannot be written; the signal's reason.
 */
export async function writeChunkDirectory(options: ChunkDirectoryOptions): Promise<ChunkDirectorySummary> {
  const staged = await StagedDirectory.open(options.directory);
  try {
    const summary = await new ChunkDirectory(options, staged).write();
    await staged.close();
    return summary;
  } catch (error) {
    await staged.abort();
    throw error;
  }
}

class ChunkDirectory {
  readonly #options: ChunkDirectoryOptions;
  readonly #directory: string;
  readonly #staged: StagedDirectory;
  readonly #written: string[] = [];
  readonly #documents = new Map<string, WrittenDocument>();
  readonly #skipped: SkippedInput[] = [];

  constructor(options: ChunkDirectoryOptions, staged: StagedDirectory) {
    this.#options = options;
    this.#directory = resolve(options.directory);
    this.#staged = staged;
  }

  async write(): Promise<ChunkDirectorySummary> {
    const { inputs, chunking, incremental = false, onProgress } = this.#options;
    const { documents, skipped } = await findDocuments(inputs, chunking.finding);
    for (const { path, reason, message } of skipped) this.#skipped.push({ path, reason, message });
    const names = chunkFileNames(documents.map(({ relativePath }) => relativePath));
    const optionsSha256 = await optionsHash(chunking);
    const before = await readChunkState(this.#directory);
    const known = new Map((before?.documents ?? []).map((entry) => [entry.path, entry]));
    const isComparable = incremental && before?.options_sha256 === optionsSha256;
    const todo: FoundDocument[] = [];
    for (const document of documents) {
      this.#options.signal.throwIfAborted();
      const entry = known.get(document.relativePath);
      const isUnchanged = isComparable && entry !== undefined && (await this.#isUnchanged(document, entry, names));
      if (isUnchanged) this.#documents.set(entry.path, { ...entry, change: "unchanged" });
      else todo.push(document);
    }
    let done = documents.length - todo.length;
    onProgress?.(done, documents.length);
    await this.#chunk(todo, names, known, () => onProgress?.(++done, documents.length));
    const all = documents.flatMap(({ relativePath }) => this.#documents.get(relativePath) ?? []);
    const removed = await this.#place(all, known, optionsSha256);
    return { directory: this.#directory, documents: all, removed, skipped: this.#skipped, incremental: isComparable };
  }

  /** Whether the document has the bytes that its chunk file was made from, and that file its own. */
  async #isUnchanged(
    { path, relativePath }: FoundDocument,
    entry: ChunkStateDocument,
    names: ReadonlyMap<string, string>,
  ): Promise<boolean> {
    if (names.get(relativePath) !== entry.file) return false;
    const hash = (file: string): Promise<string | undefined> => sha256File(file).catch(() => undefined);
    if ((await stat(path).catch(() => undefined))?.size !== entry.bytes) return false;
    return (await hash(path)) === entry.sha256 && (await hash(join(this.#directory, entry.file))) === entry.file_sha256;
  }

  async #chunk(
    todo: readonly FoundDocument[],
    names: ReadonlyMap<string, string>,
    known: ReadonlyMap<string, ChunkStateDocument>,
    onDone: () => void,
  ): Promise<void> {
    if (todo.length === 0) return;
    let file: StagedFile | undefined;
    let at = 0;
    const contentIds: string[] = [];
    for await (const event of chunkFiles(todo, { ...this.#options.chunking, signal: this.#options.signal })) {
      const path = todo[at]?.relativePath ?? "";
      const name = names.get(path) ?? "";
      if (event.type === "chunk") {
        const separator = file === undefined ? "[\n" : ",\n";
        file ??= await this.#staged.create(name);
        await file.write(Buffer.from(separator + recordJson(event.chunk)));
        contentIds.push(event.chunk.contentId);
        continue;
      }
      if (event.type === "document") {
        // A document whose chunks were all left out has a file without any.
        const end = file === undefined ? "[]\n" : "\n]\n";
        file ??= await this.#staged.create(name);
        await file.write(Buffer.from(end));
        const { sha256: fileSha256 } = await file.finish();
        this.#written.push(name);
        const { chunks, sha256, ledger } = event;
        const entry = known.get(path);
        this.#documents.set(path, {
          path,
          sha256,
          chunks,
          file: name,
          file_sha256: fileSha256,
          bytes: ledger.bytes,
          bytes_by_reason: { ...ledger.byteCounts },
          characters: ledger.characters,
          characters_by_reason: { ...ledger.characterCounts },
          ...(entry === undefined ? { change: "added" } : await this.#changeOf(entry, sha256, contentIds)),
        });
      } else if (event.type === "skipped") {
        this.#skipped.push({ path: event.path, reason: event.reason, message: event.message });
      }
      file = undefined;
      contentIds.length = 0;
      at++;
      onDone();
    }
  }

  async #changeOf(
    { sha256: sha256Before, file }: ChunkStateDocument,
    sha256: string,
    contentIds: readonly string[],
  ): Promise<Pick<WrittenDocument, "change" | "kept" | "gone">> {
    const idsBefore = new Set<unknown>();
    try {
      for await (const { metadata } of readChunkFile(join(this.#directory, file)))
        idsBefore.add(metadata["content_id"]);
    } catch {
      // The file is gone or damaged; what it held cannot be told.
      return { change: "changed" };
    }
    const kept = contentIds.filter((id) => idsBefore.has(id)).length;
    const gone = idsBefore.size - kept;
    const isSame = sha256 === sha256Before && gone === 0 && kept === contentIds.length;
    return isSame ? { change: "unchanged" } : { change: "changed", kept, gone };
  }

  /** Moves all files into place, the state last. @returns the documents whose files were removed. */
  async #place(
    all: readonly WrittenDocument[],
    known: ReadonlyMap<string, ChunkStateDocument>,
    optionsSha256: string,
  ): Promise<string[]> {
    const files = new Set(all.map(({ file }) => file));
    const removed = [...known.values()].filter(({ path }) => !this.#documents.has(path));
    const documents = all.map(stateOf);
    const state: ChunkState = { version: 1, options_sha256: optionsSha256, documents };
    const stateFile = await this.#staged.create(CHUNK_STATE_NAME);
    await stateFile.write(Buffer.from(`${JSON.stringify(state, undefined, 1)}\n`));
    await stateFile.finish();
    const stale = [...known.values()].map(({ file }) => file).filter((file) => !files.has(file));
    this.#options.signal.throwIfAborted();
    await this.#staged.place([...this.#written, CHUNK_STATE_NAME], stale);
    return removed.map(({ path }) => path);
  }
}

/** What the state keeps of a document. */
function stateOf(written: WrittenDocument): ChunkStateDocument {
  const { path, sha256, chunks, file, file_sha256, bytes, bytes_by_reason, characters, characters_by_reason } = written;
  return { path, sha256, chunks, file, file_sha256, bytes, bytes_by_reason, characters, characters_by_reason };
}

/** A hash of everything beside a document that decides its chunks. */
async function optionsHash(options: ChunkFilesOptions): Promise<string> {
  const { tokenizerPath, prefix, maxTokens, overlapSentences, strategy, skipFlagged, collection, targetModel } =
    options;
  const tokenizer = await sha256File(tokenizerPath);
  const deciding = { tokenizer, prefix, maxTokens, overlapSentences, strategy, skipFlagged, collection, targetModel };
  return sha256Of(JSON.stringify({ chunkerVersion, ...deciding }));
}
