import { mkdir, rm } from "node:fs/promises";
import { join, resolve } from "node:path";
import type { DescMessage } from "@bufbuild/protobuf";
import { makeDirectories } from "@ragline/files";
import { MessageSpool } from "./message-spool.js";
import { removeDeadDirectories } from "./remove-dead-directories.js";
import { usageError } from "./usage-error.js";

const prefix = ".ragline-run-";

/** A hidden directory beside the artifacts, on their disk, for what a run spools while it goes on. */
export class Workspace {
  /** Absolute path of the output directory. */
  readonly outputDir: string;
  /** Absolute path of the workspace. */
  readonly path: string;

  readonly #spools: { close(): Promise<void> }[] = [];

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
      await makeDirectories(absolute);
      await removeDeadDirectories(absolute, prefix);
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

  /** An empty spool in the workspace; one of the same name is overwritten. */
  async spool<Schema extends DescMessage>(name: string, schema: Schema): Promise<MessageSpool<Schema>> {
    const spool = await MessageSpool.create(join(this.path, name), schema);
    this.#spools.push(spool);
    return spool;
  }

  /** Closes all spools and removes the workspace with everything in it. */
  async remove(): Promise<void> {
    await Promise.all(this.#spools.map((spool) => spool.close()));
    await rm(this.path, { recursive: true, force: true });
  }
}
