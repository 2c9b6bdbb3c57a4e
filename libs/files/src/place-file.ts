import { rename, rm, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { makeDirectories } from "./make-directories.js";
import { newPartial, removeStalePartials } from "./partials.js";

/**
 * Writes a file so that whoever reads its path finds the old one or the whole new one, and clears what killed processes
 * left in its directory.
 * @param write writes the whole file to the path that it is given
 * @throws what `write` and the file system say
 */
export async function placeFile(path: string, write: (partialPath: string) => Promise<void>): Promise<void> {
  const directory = dirname(path);
  // A directory that may be written to and not be read is no reason to write nothing.
  await removeStalePartials(directory).catch(() => undefined);
  const partial = newPartial(directory, "file");
  try {
    await write(partial.path);
    await rename(partial.path, path);
  } catch (error) {
    await rm(partial.path, { force: true });
    throw error;
  } finally {
    partial.close();
  }
}

/** Writes a text file as {@link placeFile} does, and makes its directory. */
export async function placeText(path: string, text: string): Promise<void> {
  await makeDirectories(dirname(path));
  await placeFile(path, (partialPath) => writeFile(partialPath, text));
}
