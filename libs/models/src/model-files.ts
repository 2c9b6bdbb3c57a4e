import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { fileURLToPath } from "node:url";
import { type GraphModelEntry, type ModelFileSpec, unpinned } from "./model-entry.js";
import type { Precision } from "./precision.js";

/** A model file that is missing, unreadable or not the one that the registry names. */
export class ModelFileError extends Error {
  override readonly name = "ModelFileError";
}

/** A file as it is on disk. */
export interface VerifiedFile {
  readonly name: string;
  readonly bytes: number;
  readonly sha256: string;
}

/** The files of one model at one precision, each checked against its hash. */
export interface VerifiedModel {
  readonly entry: GraphModelEntry;
  readonly precision: Precision;
  readonly graphPath: string;
  readonly tokenizerPath: string;
  /** Where the entry names some. */
  readonly stopWordsPath?: string;
  readonly files: readonly VerifiedFile[];
  /** Size of the graph and its weights together. */
  readonly graphBytes: number;
}

/** Folder of the models that come with Ragline. */
export const embeddedModelsDir = fileURLToPath(new URL("../embedded", import.meta.url));

/**
 * Where a model's files are.
 * @param modelsDir folder that holds the folders of embedded models.
 * @throws ModelFileError when they are on the hub.
 */
export function modelDirectory({ key, source }: GraphModelEntry, modelsDir = embeddedModelsDir): string {
  if (source.kind === "embedded") return join(modelsDir, source.folder);
  if (source.kind === "folder") return source.path;
  throw new ModelFileError(`model ${key} is not on this machine; its files are at ${source.repository} on the hub`);
}

async function verifyFile(entry: GraphModelEntry, directory: string, file: ModelFileSpec): Promise<VerifiedFile> {
  const path = join(directory, file.name);
  const hash = createHash("sha256");
  const stream = createReadStream(path, { highWaterMark: 1 << 20 });
  try {
    await pipeline(stream, hash);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new ModelFileError(
      `model ${entry.key}: cannot read ${path}: ${why}; ${entry.source.kind === "embedded" ? "restore the file or set RAGLINE_MODELS_DIR" : "correct the folder or the file's name in its entry"}`,
      { cause },
    );
  }
  const actual = hash.digest("hex");
  if (file.sha256 !== unpinned && actual !== file.sha256) {
    throw new ModelFileError(
      `model ${entry.key}: ${path} has sha256 ${actual}, but its entry names ${file.sha256}; the file is damaged or another one, restore it`,
    );
  }
  return { name: file.name, bytes: stream.bytesRead, sha256: actual };
}

/**
 * Hashes every file that a model needs at a precision.
 * @param modelsDir folder that holds the folders of embedded models.
 * @throws ModelFileError naming the first file that is missing or differs, or the precisions that there are.
 */
export async function verifyModel(
  entry: GraphModelEntry,
  precision: Precision,
  modelsDir = embeddedModelsDir,
): Promise<VerifiedModel> {
  const files = graphFiles(entry, precision);
  const directory = modelDirectory(entry, modelsDir);
  const { tokenizer, stopWords } = entry;
  const shared = await Promise.all(sharedFiles(entry).map((file) => verifyFile(entry, directory, file)));
  const verified = await Promise.all(files.map((file) => verifyFile(entry, directory, file)));
  return {
    entry,
    precision,
    files: [...shared, ...verified],
    graphPath: join(directory, files[0].name),
    tokenizerPath: join(directory, tokenizer.file.name),
    ...(stopWords ? { stopWordsPath: join(directory, stopWords.name) } : {}),
    graphBytes: verified.reduce((sum, file) => sum + file.bytes, 0),
  };
}

/**
 * Hashes the tokenizer of a model alone.
 * @param modelsDir folder that holds the folders of embedded models.
 * @returns its path.
 * @throws ModelFileError when it is missing or differs.
 */
export async function verifyTokenizer(entry: GraphModelEntry, modelsDir = embeddedModelsDir): Promise<string> {
  const directory = modelDirectory(entry, modelsDir);
  const { name } = await verifyFile(entry, directory, entry.tokenizer.file);
  return join(directory, name);
}

/** Files that a model needs in every precision. */
export function sharedFiles({ tokenizer, stopWords }: GraphModelEntry): ModelFileSpec[] {
  return [tokenizer.file, ...(stopWords ? [stopWords] : [])];
}

/**
 * The graph of a model in a precision, and then its weights.
 * @throws ModelFileError naming the precisions that there are.
 */
export function graphFiles(
  { key, graphs }: GraphModelEntry,
  precision: Precision,
): [ModelFileSpec, ...ModelFileSpec[]] {
  const chosen = graphs[precision];
  if (chosen) return [chosen.graph, ...chosen.externalData];
  throw new ModelFileError(
    `model ${key} has no graph in ${precision}; choose one of: auto, ${Object.keys(graphs).join(", ")}`,
  );
}
