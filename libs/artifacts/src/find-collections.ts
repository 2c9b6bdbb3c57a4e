import { readdir } from "node:fs/promises";
import { basename, join, resolve } from "node:path";
import { ArtifactError, readError } from "./artifact-error.js";

/** A directory of chunk files. */
export interface Collection {
  readonly name: string;
  /** Absolute path. */
  readonly dir: string;
  /** Absolute paths of its `*_chunks.json`, sorted by name. */
  readonly files: readonly string[];
}

const maxDepth = 5;
const byName = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);

async function listFiles(dir: string, depth: number, found: { dir: string; files: string[] }[]): Promise<void> {
  const entries = await readdir(dir, { withFileTypes: true }).catch((error: unknown) => {
    throw readError(error, dir);
  });
  const names = entries.map((entry) => entry.name).sort(byName);
  const kinds = new Map(entries.map((entry) => [entry.name, entry]));
  const isFile = (name: string) => kinds.get(name)?.isFile() === true || kinds.get(name)?.isSymbolicLink() === true;
  const files = names.filter((name) => name.endsWith("_chunks.json") && isFile(name));
  if (files.length > 0) found.push({ dir, files: files.map((name) => join(dir, name)) });
  if (depth === maxDepth) return;
  // Hidden directories hold tools' own data; links could lead in circles.
  for (const name of names.filter((name) => kinds.get(name)?.isDirectory() === true && !name.startsWith("."))) {
    await listFiles(join(dir, name), depth + 1, found);
  }
}

/**
 * Finds the collections at or under a directory: each directory, to depth 5, that has `*_chunks.json` files. A
 * collection is named by its directory; where two directories have the same name, by the path from `chunkedDir`, joined by "_".
 * @param names which collections to return; all when absent or empty. Compared without regard to case.
 * @returns sorted by name.
 * @throws ArtifactError when the directory cannot be read, has no collection, or lacks a requested one.
 */
export async function findCollections(chunkedDir: string, names: readonly string[] = []): Promise<Collection[]> {
  const root = resolve(chunkedDir);
  const found: { dir: string; files: string[] }[] = [];
  await listFiles(root, 0, found);
  if (found.length === 0) {
    throw new ArtifactError(
      "NOT_FOUND",
      `${root} has no collection: neither it nor a directory inside it, to depth ${maxDepth}, has files named *_chunks.json. Check --chunked-dir, or give documents with --input.`,
    );
  }
  const key = (dir: string) => basename(dir).toLowerCase();
  const collections = found
    .map(({ dir, files }): Collection => {
      const unique = dir === root || found.filter((other) => key(other.dir) === key(dir)).length === 1;
      return { name: unique ? basename(dir) : dir.slice(root.length + 1).replaceAll(/[/\\]/g, "_"), dir, files };
    })
    .sort((a, b) => byName(a.name, b.name));
  if (names.length === 0) return collections;
  const wanted = new Set(names.map((name) => name.toLowerCase()));
  const chosen = collections.filter(({ name }) => wanted.delete(name.toLowerCase()));
  if (wanted.size > 0) {
    const unknown = names.filter((name) => wanted.has(name.toLowerCase())).join(", ");
    throw new ArtifactError(
      "NOT_FOUND",
      `No collection named ${unknown} in ${root}. The collections there: ${collections.map(({ name }) => name).join(", ")}.`,
    );
  }
  return chosen;
}
