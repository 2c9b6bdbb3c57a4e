import { stat } from "node:fs/promises";
import { basename, join, resolve } from "node:path";
import { findCollections } from "@ragline/artifacts";
import type { RunSettings } from "../run-settings.js";
import { usageError } from "./usage-error.js";

/** A collection that is to be run, and where its chunks come from. */
export interface PlannedCollection {
  readonly name: string;
  /** Prefix of the artifacts' names. */
  readonly prefix: string;
  readonly outputDir: string;
  readonly source: { readonly documents: readonly string[] } | { readonly chunkFiles: readonly string[] };
}

/** Name for a collection of documents: that of the first input, without the extension of a file. */
export async function nameOfInputs(inputs: readonly string[]): Promise<string> {
  const first = resolve(inputs[0] ?? ".");
  const isFile = await stat(first).then(
    (stats) => stats.isFile(),
    () => false,
  );
  const name = basename(first);
  return (isFile ? name.replace(/\.[^.]+$/, "") : name) || "documents";
}

/**
 * What a run has to do. With several collections each gets a directory of its own below the output directory.
 * @throws RaglineError INVALID_ARGUMENT when there is nothing to do, or settings contradict each other; ArtifactError when chunk files are not there.
 */
export async function planCollections(settings: RunSettings): Promise<PlannedCollection[]> {
  const { input, chunkedDir, collections, outputDir, exportPrefix, summaryPath } = settings;
  if (input !== null && chunkedDir !== null) {
    throw usageError(
      "TWO_INPUTS",
      "--input and --chunked-dir were both given; give documents or chunk files, not both",
    );
  }
  if (input !== null && input.length > 0) {
    if (collections !== null && collections.length > 1) {
      throw usageError(
        "MANY_NAMES",
        `--collections names ${collections.length} collections, but --input makes one; give one name`,
      );
    }
    const name = collections?.[0] ?? (await nameOfInputs(input));
    return [{ name, prefix: exportPrefix ?? name, outputDir, source: { documents: input } }];
  }
  if (chunkedDir === null) {
    throw usageError(
      "NO_INPUT",
      "there is nothing to do: give documents with --input <file or directory>, or chunk files with --chunked-dir <directory>",
    );
  }
  const found = await findCollections(chunkedDir, collections ?? []);
  if (found.length > 1 && (exportPrefix !== null || summaryPath !== null)) {
    throw usageError(
      "SHARED_NAME",
      `--${exportPrefix === null ? "summary-path" : "export-prefix"} fits one collection, but ${found.length} are to be run; choose one with --collections`,
    );
  }
  return found.map(({ name, files }) => ({
    name,
    prefix: exportPrefix ?? name,
    outputDir: found.length > 1 ? join(outputDir, name) : outputDir,
    source: { chunkFiles: files },
  }));
}
