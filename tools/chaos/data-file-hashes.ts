import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { sha256File } from "@ragline/artifacts";

const timed: readonly string[] = ["processing_summary.json", "report.html"];

/** SHA-256 of every file of a run by name; manifest and report are left out, since they tell times. */
export async function dataFileHashes(outputDir: string): Promise<Readonly<Record<string, string>>> {
  const names = (await readdir(outputDir)).filter((name) => !timed.includes(name)).sort();
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
