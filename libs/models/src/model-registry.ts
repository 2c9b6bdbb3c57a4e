import { embeddedModels } from "./embedded-models.js";
import { type ModelEntry, modelEntrySchema } from "./model-entry.js";

/** A name that the registry does not know; the message lists those that it does. */
export class UnknownModelError extends Error {
  override readonly name = "UnknownModelError";
}

const entries: readonly ModelEntry[] = embeddedModels.map((entry) => modelEntrySchema.parse(entry));

/** All models of a stage, in registry order. */
export function listModels(stage: ModelEntry["stage"]): readonly ModelEntry[] {
  return entries.filter((entry) => entry.stage === stage);
}

/**
 * Finds a model of a stage by registry key, Hugging Face id or alias, without regard to case.
 * @throws UnknownModelError naming the models of that stage.
 */
export function findModel(name: string, stage: ModelEntry["stage"]): ModelEntry {
  const wanted = name.trim().toLowerCase();
  const known = listModels(stage);
  const found = known.find((entry) =>
    [entry.key, entry.huggingFaceId, ...entry.aliases].some((candidate) => candidate.toLowerCase() === wanted),
  );
  if (found) return found;
  const list = known.map((entry) => `${entry.key} (${entry.huggingFaceId})`).join(", ");
  throw new UnknownModelError(`"${name}" is no ${stage} model of the registry; choose one of: ${list}`);
}
