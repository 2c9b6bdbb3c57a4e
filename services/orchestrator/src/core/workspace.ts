import { mkdir, readdir, rm } from "node:fs/promises";
import { join, resolve } from "node:path";
import { usageError } from "./usage-error.js";

const prefix = ".ragline-run-";

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

/** Removes what a run that was killed left in an output directory. */
async function removeStale(outputDir: string): Promise<void> {
  for (const name of await readdir(outputDir)) {
    const pid = name.startsWith(prefix) ? Number.parseInt(name.slice(prefix.length), 10) : Number.NaN;
    if (Number.isInteger(pid) && !isAlive(pid)) await rm(join(outputDir, name), { recursive: true, force: true });
  }
}

/** A hidden directory beside the artifacts, on their disk, for what a run spools while it goes on. */
export class Workspace {
  /** Absolute path of the output directory. */
  readonly outputDir: string;
  /** Absolute path of the workspace. */
  readonly path: string;

  private constructor(outputDir: string, path: string) {
    this.outputDir = outputDir;
    this.path = path;
  }

  /**
   * Makes the output directory if there is none, and the workspace in it.
   * @throws RaglineError INVALID_ARGUMENT when the output directory is a file or cannot be written.
   */
  static async create(outputDir: string, runId: string): Promise<Workspace> {
    const absolute = resolve(outputDir);
    const path = join(absolute, `${prefix}${process.pid}-${runId.slice(0, 8)}`);
    try {
      await mkdir(absolute, { recursive: true });
      await removeStale(absolute);
      await mkdir(path, { mode: 0o700 });
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      const why =
        code === "EEXIST" || code === "ENOTDIR"
          ? "there is a file of that name, or on the way to it"
          : code === "EACCES" || code === "EPERM" || code === "EROFS"
            ? "this user may not write there"
            : message;
      throw usageError(
        "OUTPUT_DIR",
        `cannot use the output directory ${absolute}: ${why}; choose another with --output-dir`,
        error,
      );
    }
    return new Workspace(absolute, path);
  }

  /** Path of a file in the workspace. */
  file(name: string): string {
    return join(this.path, name);
  }

  /** Removes the workspace with everything in it. */
  remove(): Promise<void> {
    return rm(this.path, { recursive: true, force: true });
  }
}
