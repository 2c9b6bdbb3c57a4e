import { stat } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { MANIFEST_NAME, type Manifest, manifestPrefix, parseManifest, readManifestBytes } from "@ragline/artifacts";

/** One of two runs that are compared. */
export interface ComparedRun {
  /** Directory of its files. */
  readonly dir: string;
  readonly manifest: Manifest;
  /** Of the names of its files. */
  readonly prefix: string;
}

/**
 * Reads the manifest of a run.
 * @param path the run's directory, or its manifest.
 * @throws ArtifactError when there is no manifest, or none that can be read.
 */
export async function readComparedRun(path: string): Promise<ComparedRun> {
  const isFile = await stat(path).then(
    (found) => found.isFile(),
    () => false,
  );
  const manifestPath = resolve(isFile ? path : join(path, MANIFEST_NAME));
  const manifest = parseManifest((await readManifestBytes(manifestPath)).toString(), manifestPath);
  return { dir: dirname(manifestPath), manifest, prefix: manifestPrefix(manifest) };
}
