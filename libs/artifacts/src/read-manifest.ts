import { readFile } from "node:fs/promises";
import { isMissing } from "@ragline/files";
import { ArtifactError, readError } from "./artifact-error.js";

/**
 * The bytes of a run's manifest.
 * @throws ArtifactError NOT_FOUND when there is none, UNREADABLE when it cannot be read.
 */
export async function readManifestBytes(path: string): Promise<Buffer> {
  try {
    return await readFile(path);
  } catch (error) {
    if (!isMissing(error)) throw readError(error, path);
    throw new ArtifactError(
      "NOT_FOUND",
      `There is no ${path}: no run has finished there (the manifest is written last). Check the directory or run again.`,
      { cause: error },
    );
  }
}
