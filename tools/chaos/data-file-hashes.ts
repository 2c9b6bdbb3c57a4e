import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { sha256File } from "@ragline/artifacts";

const manifestName = "processing_summary.json";

/** SHA-256 of every file of a run by name; the manifest is left out, since it tells times. */
export async function dataFileHashes(outputDir: string): Promise<Readonly<Record<string, string>>> {
  const names = (await readdir(outputDir)).filter((name) => name !== manifestName).sort();
  const entries = await Promise.all(
    names.map(async (name) => [name, await sha256File(join(outputDir, name))] as const),
  );
  return Object.fromEntries(entries);
}

/** Names of the files that are not the same in both, or only in one. */
export function differingFiles(
  found: Readonly<Record<string, string>>,
  expected: Readonly<Record<string, string>>,
): string[] {
  const names = new Set([...Object.keys(found), ...Object.keys(expected)]);
  return [...names].filter((name) => found[name] !== expected[name]).sort();
}
