import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** The files that differ between two folders, as sentences' beginnings: "x.ts is missing", "is not expected", "differs". */
export function compareFolders(expected: string, actual: string): string[] {
  const expectedFiles = listFiles(expected);
  const actualFiles = listFiles(actual);
  return [...new Set([...expectedFiles, ...actualFiles])].sort().flatMap((file) => {
    if (!actualFiles.has(file)) return [`${file} is missing`];
    if (!expectedFiles.has(file)) return [`${file} is not expected`];
    return readFileSync(join(expected, file)).equals(readFileSync(join(actual, file))) ? [] : [`${file} differs`];
  });
}

function listFiles(folder: string): Set<string> {
  const entries = readdirSync(folder, { withFileTypes: true, recursive: true });
  return new Set(entries.filter((e) => e.isFile()).map((e) => join(e.parentPath, e.name).slice(folder.length + 1)));
}
