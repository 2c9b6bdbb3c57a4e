import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { fileURLToPath } from "node:url";
import type { GraphModelEntry, ModelFileSpec } from "./model-entry.js";
import type { Precision } from "./precision.js";

/** A model file that is missing, unreadable or not the one that the registry names. */
export class ModelFileError extends Error {
  override readonly name = "ModelFileError";
}

/** The files of one model at one precision, each checked against its hash. */
export interface VerifiedModel {
  readonly entry: GraphModelEntry;
  readonly precision: Precision;
  readonly graphPath: string;
  readonly tokenizerPath: string;
  readonly files: readonly ModelFileSpec[];
  /** Size of the graph and its weights together. */
  readonly graphBytes: number;
}

/** Folder of the models that come with Ragline. */
export const embeddedModelsDir = fileURLToPath(new URL("../embedded", import.meta.url));

async function verifyFile(entry: GraphModelEntry, directory: string, file: ModelFileSpec): Promise<void> {
  const path = join(directory, file.name);
  const hash = createHash("sha256");
  try {
    await pipeline(createReadStream(path, { highWaterMark: 1 << 20 }), hash);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new ModelFileError(
      `model ${entry.key}: cannot read ${path}: ${why}; restore the file or set RAGLINE_MODELS_DIR`,
      { cause },
    );
  }
  const actual = hash.digest("hex");
  if (actual !== file.sha256) {
    throw new ModelFileError(
      `model ${entry.key}: ${path} has sha256 ${actual}, but the registry names ${file.sha256}; the file is damaged or another one, restore it`,
    );
  }
}

/**
 * Hashes every file that a model needs at a precision.
 * @param modelsDir folder that holds the model's own folder; the embedded models by default.
 * @throws ModelFileError naming the first file that is missing or differs.
 */
export async function verifyModel(
  entry: GraphModelEntry,
  precision: Precision,
  modelsDir = embeddedModelsDir,
): Promise<VerifiedModel> {
  const directory = join(modelsDir, entry.folder);
  const { graph, externalData } = entry.graphs[precision];
  const files = [entry.tokenizer, graph, ...externalData];
  await Promise.all(files.map((file) => verifyFile(entry, directory, file)));
  return {
    entry,
    precision,
    files,
    graphPath: join(directory, graph.name),
    tokenizerPath: join(directory, entry.tokenizer.name),
    graphBytes: [graph, ...externalData].reduce((sum, file) => sum + file.bytes, 0),
  };
}
