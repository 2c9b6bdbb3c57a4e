import { embeddedModels } from "./embedded-models.js";
import { type ModelEntry, modelEntrySchema } from "./model-entry.js";
import { publishedModels } from "./published-models.js";

/** A name that the registry does not know; the message lists those that it does. */
export class UnknownModelError extends Error {
  override readonly name = "UnknownModelError";
}

const builtIn: readonly ModelEntry[] = [...embeddedModels, ...publishedModels].map((entry) =>
  modelEntrySchema.parse(entry),
);

let entries = builtIn;

/**
 * Puts a user's own models into the registry of this process, before and in place of those of the same key. A second call
 * replaces the first.
 */
export function useModels(own: readonly ModelEntry[]): void {
  const keys = new Set(own.map(({ key }) => key.toLowerCase()));
  entries = [...own, ...builtIn.filter(({ key }) => !keys.has(key.toLowerCase()))];
}

/** All models of a stage, or all there are, in registry order. */
export function listModels(stage?: ModelEntry["stage"]): readonly ModelEntry[] {
  return stage === undefined ? entries : entries.filter((entry) => entry.stage === stage);
}

const namesOf = ({ key, huggingFaceId, aliases }: ModelEntry): string[] => [key, huggingFaceId, ...aliases];

/**
 * Finds a model by registry key, Hugging Face id or alias, without regard to case. A key goes before an id, which
 * several models may share.
 * @param stage looks at the models of one stage alone. @default all
 * @throws UnknownModelError naming the models that there are.
 */
export function findModel(name: string, stage?: ModelEntry["stage"]): ModelEntry {
  const wanted = name.trim().toLowerCase();
  const known = listModels(stage);
  const found =
    known.find(({ key }) => key.toLowerCase() === wanted) ??
    known.find((entry) => namesOf(entry).some((candidate) => candidate.toLowerCase() === wanted));
  if (found) return found;
  const list = known.map((entry) => `${entry.key} (${entry.huggingFaceId})`).join(", ");
  throw new UnknownModelError(
    `"${name}" is no ${stage ? `${stage} ` : ""}model of the registry; choose one of: ${list}; or add your own under "models" in config/embedder.json`,
  );
}
