import type { ChunkFilesOptions } from "@ragline/chunking";
import { findModel, hasGraph, ModelFileError, type ModelSettings, ModelStore } from "@ragline/models";
import { TextTokenizer } from "@ragline/tokenizer";
import type { readingSettings } from "../reading-settings.js";
import type { RunSettings } from "../run-settings.js";
import { usageError } from "./usage-error.js";

/** The settings that decide how documents are cut. */
export type ChunkSettings = Pick<
  RunSettings,
  "ensembleModels" | "chunkTokens" | "chunkOverlap" | "chunkStrategy" | "skipFlagged" | keyof typeof readingSettings
> &
  ModelSettings;

/**
 * How a run cuts documents: by the tokens of the model of the ensemble that takes fewest. Its tokenizer is pulled if it is
 * not here.
 * @throws RaglineError INVALID_ARGUMENT when that model has no tokenizer.
 * @throws ModelFileError when the tokenizer is not there, is another one, or cannot be used.
 */
export async function chunkOptions(
  settings: ChunkSettings,
  collection: string,
  signal?: AbortSignal,
): Promise<ChunkFilesOptions> {
  const models = settings.ensembleModels.map((name) => findModel(name, "dense"));
  const smallest = models.reduce((least, model) => (model.maxTokens < least.maxTokens ? model : least));
  if (!hasGraph(smallest))
    throw usageError("NO_TOKENIZER", `model ${smallest.key} has no tokenizer to measure chunks with`);
  const tokenizerPath = await new ModelStore(settings).tokenizerPath(smallest, signal ? { signal } : {});
  // Those that come with Ragline are known to be sound; one of a user's own should not be blamed on a document.
  if (smallest.source.kind !== "embedded")
    await TextTokenizer.open(tokenizerPath).catch((error: Error) => {
      throw new ModelFileError(`model ${smallest.key}: ${error.message}`, { cause: error });
    });
  return {
    tokenizerPath,
    prefix: smallest.prefixes.passage,
    maxTokens: Math.min(smallest.maxTokens, settings.chunkTokens ?? smallest.maxTokens),
    overlapSentences: settings.chunkOverlap,
    strategy: settings.chunkStrategy,
    skipFlagged: settings.skipFlagged ?? [],
    collection,
    targetModel: smallest.key,
    finding: {
      include: settings.include ?? [],
      exclude: settings.exclude ?? [],
      gitignore: settings.gitignore,
    },
    reading: { maxBytes: settings.maxFileBytes, timeoutMs: settings.fileTimeout },
  };
}
