import { lstat, mkdir, open, rename, rm, rmdir } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import {
  findPartials,
  isMissing,
  makeDirectories,
  newPartial,
  type Partial,
  removeStalePartials,
} from "@ragline/files";
import { ArtifactError, writeError } from "./artifact-error.js";
import { StagedFile } from "./staged-file.js";

/** How {@link StagedDirectory.open} opens. */
export interface StagedDirectoryOptions {
  /** Refuse to open while another run of this host is writing to the directory. @default true */
  readonly exclusive?: boolean;
}

/**
 * Files of one run that appear in an output directory together or not at all. They are written inside a hidden directory
 * of it, `.ragline-partial-<host>-<process>-<id>`, and then renamed into place.
 */
export class StagedDirectory {
  /** Absolute path of the output directory. */
  readonly outputDir: string;
  readonly #staging: Partial;
  /** Outermost directory that had to be made for this run. */
  readonly #made: string | undefined;
  readonly #files: StagedFile[] = [];
  /** What was renamed, in order, so that it can be undone. */
  readonly #moves: { from: string; to: string }[] = [];

  private constructor(outputDir: string, made: string | undefined) {
    this.outputDir = outputDir;
    this.#staging = newPartial(outputDir, "run");
    this.#made = made;
  }

  /**
   * Makes the output directory where needed, clears what a killed run left in it, and opens a staging directory.
   * @throws ArtifactError when the path is a file, not writable, or another run is writing there.
   */
  static async open(outputDir: string, options: StagedDirectoryOptions = {}): Promise<StagedDirectory> {
    const path = resolve(outputDir);
    let made: string | undefined;
    try {
      made = await makeDirectories(path);
    } catch (error) {
      throw writeError(error, path);
    }
    const directory = new StagedDirectory(path, made);
    try {
      await removeStalePartials(path);
      await mkdir(directory.#staging.path);
    } catch (error) {
      directory.#staging.close();
      await directory.#removeMade();
      throw writeError(error, path);
    }
    if (options.exclusive === false) return directory;
    // Looked at after our own was made: of two runs that start at once, at least one sees the other.
    const { id: own } = directory.#staging;
    const other = (await findPartials(path)).find(({ kind, id }) => kind === "run" && id !== own);
    if (other) {
      await directory.abort();
      throw new ArtifactError(
        "OUTPUT_UNUSABLE",
        `Another run is writing to ${path} (process ${other.pid}). Wait for it or choose another output directory; if there is none, remove ${other.path}.`,
      );
    }
    return directory;
  }

  /**
   * Opens a new file in the staging directory. Files that `place` does not name are scratch: they vanish at the end.
   * @throws ArtifactError when the file system refuses.
   */
  async create(name: string): Promise<StagedFile> {
    const file = await StagedFile.create(name, join(this.#staging.path, name), join(this.outputDir, name));
    this.#files.push(file);
    return file;
  }

  /**
   * Moves finished files into place, in the given order. Files that they replace, and those to remove, are kept aside
   * first, so that `abort` can still bring everything back.
   * @param names staged files, in the order of placing.
   * @param remove files in the output directory that must be gone before the first file is placed, if they exist.
   * @throws ArtifactError when a file of that name cannot be replaced; call `abort` then.
   */
  async place(names: readonly string[], remove: readonly string[] = []): Promise<void> {
    const aside = join(this.#staging.path, ".replaced");
    await mkdir(aside, { recursive: true });
    const setAside = async (name: string, replace: boolean) => {
      const path = join(this.outputDir, name);
      const found = await lstat(path).catch((error: unknown) => {
        if (isMissing(error)) return undefined;
        throw writeError(error, path);
      });
      if (found === undefined || (found.isDirectory() && !replace)) return;
      if (found.isDirectory()) {
        throw new ArtifactError(
          "OUTPUT_UNUSABLE",
          `${path} is a directory, but a file of that name is to be written. Move it away or choose another export prefix.`,
        );
      }
      await this.#move(path, join(aside, name));
    };
    for (const name of remove) await setAside(name, false);
    for (const name of names) {
      await setAside(name, true);
      await this.#move(join(this.#staging.path, name), join(this.outputDir, name));
    }
    await syncDirectory(this.outputDir);
  }

  /** Ends the run: what was placed is final, everything else is removed. */
  async close(): Promise<void> {
    this.#moves.length = 0;
    await Promise.allSettled(this.#files.map((file) => file.close()));
    await rm(this.#staging.path, { recursive: true, force: true });
    this.#staging.close();
  }

  /** Ends the run and leaves the output directory as it was found. */
  async abort(): Promise<void> {
    try {
      for (const { from, to } of this.#moves.toReversed()) await rename(to, from);
    } finally {
      await this.close();
      await this.#removeMade();
    }
  }

  async #move(from: string, to: string): Promise<void> {
    try {
      await rename(from, to);
    } catch (error) {
      throw writeError(error, to);
    }
    this.#moves.push({ from, to });
  }

  async #removeMade(): Promise<void> {
    if (this.#made === undefined) return;
    for (let path = this.outputDir; path.length >= this.#made.length; path = dirname(path)) {
      // Not empty: somebody else uses it by now.
      if (
        !(await rmdir(path).then(
          () => true,
          () => false,
        ))
      )
        return;
    }
  }
}

/** Makes renames survive a power cut, on file systems that can. */
async function syncDirectory(path: string): Promise<void> {
  const handle = await open(path).catch(() => undefined);
  try {
    await handle?.sync();
  } catch {
    // Some file systems refuse to sync a directory; the files themselves are synced.
  } finally {
    await handle?.close();
  }
}
