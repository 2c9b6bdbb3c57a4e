import { join } from "node:path";
import type { ChunkFilesOptions } from "@ragline/chunking";
import { findModel, hasGraph, modelDirectory } from "@ragline/models";
import type { RunSettings } from "../run-settings.js";
import { usageError } from "./usage-error.js";

/** The settings that decide how documents are cut. */
export type ChunkSettings = Pick<RunSettings, "ensembleModels" | "chunkTokens" | "chunkOverlap" | "chunkStrategy">;

/**
 * How a run cuts documents: by the tokens of the model of the ensemble that takes fewest.
 * @throws RaglineError INVALID_ARGUMENT when that model has no tokenizer.
 */
export function chunkOptions(settings: ChunkSettings, collection: string): ChunkFilesOptions {
  const models = settings.ensembleModels.map((name) => findModel(name, "dense"));
  const smallest = models.reduce((least, model) => (model.maxTokens < least.maxTokens ? model : least));
  if (!hasGraph(smallest))
    throw usageError("NO_TOKENIZER", `model ${smallest.key} has no tokenizer to measure chunks with`);
  const directory = modelDirectory(smallest, process.env.RAGLINE_MODELS_DIR || undefined);
  return {
    tokenizerPath: join(directory, smallest.tokenizer.file.name),
    prefix: smallest.prefixes.passage,
    maxTokens: Math.min(smallest.maxTokens, settings.chunkTokens ?? smallest.maxTokens),
    overlapSentences: settings.chunkOverlap,
    strategy: settings.chunkStrategy,
    collection,
    targetModel: smallest.key,
  };
}
