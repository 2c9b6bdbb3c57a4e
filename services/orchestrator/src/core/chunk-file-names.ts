import { createHash } from "node:crypto";

const suffix = "_chunks.json";
/** File systems take 255 bytes; a name that is longer ends with a hash of the whole. */
const maxBytes = 200;

/**
 * Names of the chunk files of documents, by relative path: "notes/search.txt" is "notes_search_chunks.json". Where two
 * documents would share a name, each keeps its extension, and its position if that is not enough.
 */
export function chunkFileNames(relativePaths: readonly string[]): Map<string, string> {
  const candidates = [withoutExtension, flat, (path: string) => `${flat(path)}_${hashOf(path)}`];
  const names = new Map<string, string>();
  let left = [...relativePaths];
  for (const [i, nameOf] of candidates.entries()) {
    const owners = new Map<string, number>();
    // File systems may not tell upper from lower case.
    const keyOf = (path: string): string => nameOf(path).toLowerCase();
    for (const path of left) owners.set(keyOf(path), (owners.get(keyOf(path)) ?? 0) + 1);
    const taken = new Set([...names.values()].map((name) => name.toLowerCase()));
    const isFree = (path: string): boolean =>
      i === candidates.length - 1 || (owners.get(keyOf(path)) === 1 && !taken.has(`${keyOf(path)}${suffix}`));
    for (const path of left.filter(isFree)) names.set(path, `${nameOf(path)}${suffix}`);
    left = left.filter((path) => !names.has(path));
  }
  return names;
}

function withoutExtension(path: string): string {
  return flat(path.replace(/(?<=[^/])\.[^./]*$/, ""));
}

/** One name for a path, without signs that a file system may refuse. */
function flat(path: string): string {
  const name = path.replace(/[/\\]/g, "_").replace(/[^\p{L}\p{N}\p{M}._ -]/gu, "_");
  const bytes = Buffer.byteLength(name);
  return bytes <= maxBytes
    ? name
    : `${Buffer.from(name)
        .subarray(0, maxBytes - 20)
        .toString()
        .replace(/\ufffd+$/, "")}_${hashOf(path)}`;
}

function hashOf(path: string): string {
  return createHash("sha256").update(path).digest("hex").slice(0, 12);
}
