import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parse, parseAllDocuments } from "yaml";

/** The paths of a folder's YAML files, sorted by name. */
export function yamlFiles(folder: string): string[] {
  return readdirSync(folder)
    .filter((name) => /\.ya?ml$/.test(name))
    .sort()
    .map((name) => join(folder, name));
}

/** Reads a YAML text of one document, merge keys resolved; throws where it is none, or names a key twice. */
export function parseYaml<T>(text: string): T {
  return parse(text, { merge: true }) as T;
}

/** Reads a YAML file with {@link parseYaml}. */
export function readYaml<T>(path: string): T {
  return parseYaml<T>(readFileSync(path, "utf8"));
}

/** Reads a YAML text of several documents; throws where one is damaged. */
export function parseYamlDocuments<T>(text: string): T[] {
  return parseAllDocuments(text).map((document) => {
    if (document.errors[0]) throw document.errors[0];
    return document.toJS() as T;
  });
}
