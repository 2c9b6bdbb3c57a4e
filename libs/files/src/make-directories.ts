import { mkdir, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { isMissing } from "./is-missing.js";

/**
 * Makes a directory and those above it. `mkdir` with `recursive` is not used: it never ends where a parent exists but
 * refuses new entries with ENOENT, as /proc does.
 * @returns the outermost directory that was made.
 * @throws what the file system says, and EEXIST where a file has the name.
 */
export async function makeDirectories(path: string): Promise<string | undefined> {
  const parent = dirname(path);
  try {
    return (await make(path)) ? path : undefined;
  } catch (error) {
    if (!isMissing(error) || parent === path) throw error;
  }
  const made = await makeDirectories(parent);
  return (await make(path)) ? (made ?? path) : made;
}

/** @returns whether it was made here, instead of being there already. */
async function make(path: string): Promise<boolean> {
  try {
    await mkdir(path);
    return true;
  } catch (error) {
    const isDirectory = await stat(path).then(
      (found) => found.isDirectory(),
      () => false,
    );
    if (isDirectory) return false;
    throw error;
  }
}
