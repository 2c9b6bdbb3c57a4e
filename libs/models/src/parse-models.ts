import { existsSync } from "node:fs";
import { ConfigError, readConfigFile } from "@ragline/config";
import { type ModelEntry, modelEntrySchema } from "./model-entry.js";
import { modelSettings } from "./model-settings.js";

function placeOf(path: readonly PropertyKey[]): string {
  return path.map((part) => (typeof part === "number" ? `[${part}]` : `.${String(part)}`)).join("");
}

/**
 * A user's own entries, checked by the schema of the registry.
 * @param value a list, as it stands in a config file.
 * @param place where it stands, such as "config/embedder.json:models".
 * @throws ConfigError naming every field that is wrong.
 */
export function parseModels(value: unknown, place: string): ModelEntry[] {
  if (!Array.isArray(value)) throw new ConfigError(`${place} must be a list of models`);
  const problems: string[] = [];
  const entries: ModelEntry[] = [];
  for (const [i, item] of value.entries()) {
    const { success, data, error } = modelEntrySchema.safeParse(item);
    if (success) entries.push(data);
    else
      for (const { path, message } of error.issues)
        problems.push(`${place}[${i}]${placeOf(path)}: ${message.charAt(0).toLowerCase()}${message.slice(1)}`);
  }
  const keys = new Set<string>();
  for (const { key } of entries) {
    if (keys.has(key.toLowerCase())) problems.push(`${place}: the key "${key}" is there twice`);
    keys.add(key.toLowerCase());
  }
  if (problems.length > 0) throw new ConfigError(problems.join("\n"));
  return entries;
}

/**
 * The entries under "models" of a JSON file; none where there is no such key, and none where the file of the default setting
 * is missing.
 * @throws ConfigError naming the file and what is wrong in it.
 */
export function readModels(path: string): ModelEntry[] {
  if (path !== modelSettings.modelsFile.default && !existsSync(path))
    throw new ConfigError(`there is no file ${path}, which --models-file names`);
  const { models } = readConfigFile(path);
  return models === undefined ? [] : parseModels(models, `${path}:models`);
}
