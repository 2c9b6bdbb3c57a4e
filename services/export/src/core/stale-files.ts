import { readFile } from "node:fs/promises";
import { basename, join } from "node:path";
import {
  artifactNames,
  MANIFEST_NAME,
  type Manifest,
  manifestPrefix,
  parseManifest,
  REPORT_NAME,
  readReportMark,
} from "@ragline/artifacts";
import type { ResolvedPlan } from "./export-plan.js";

/**
 * Files in the output directory that an older run with the same prefix wrote and this run does not: left there, they would
 * contradict the new manifest. Its own manifest and its report page are among them.
 */
export async function staleFiles({ outputDir, summaryPath, prefix, files }: ResolvedPlan): Promise<string[]> {
  const names = artifactNames(prefix);
  const stale = new Set([names.index, names.indexIds, names.sparse, names.fused, names.rerank]);
  for (const path of new Set([join(outputDir, MANIFEST_NAME), summaryPath])) {
    const manifest = await readOldManifest(path);
    if (manifest === undefined || manifestPrefix(manifest) !== prefix) continue;
    if (path !== summaryPath) stale.add(MANIFEST_NAME);
    // A name with a path in it was not written by an export.
    for (const { name } of manifest.outputs ?? []) if (basename(name) === name) stale.add(name);
  }
  if ((await readReportMark(join(outputDir, REPORT_NAME))) !== undefined) stale.add(REPORT_NAME);
  return [...stale].filter((name) => !files.includes(name));
}

/** A manifest that is missing or damaged tells of no files. */
async function readOldManifest(path: string): Promise<Manifest | undefined> {
  try {
    return parseManifest(await readFile(path, "utf8"), path);
  } catch {
    return undefined;
  }
}
