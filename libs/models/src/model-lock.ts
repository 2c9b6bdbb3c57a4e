import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { placeText } from "@ragline/files";
import { withFileLock } from "@ragline/hub";
import { z } from "zod";

const pinSchema = z.object({
  repository: z.string(),
  /** The commit. */
  revision: z.string().regex(/^[0-9a-f]{40}$/),
  files: z.record(z.string(), z.object({ bytes: z.int().nonnegative(), sha256: z.string().regex(/^[0-9a-f]{64}$/) })),
});

const lockSchema = z.object({ version: z.literal(1), models: z.record(z.string(), pinSchema) });

/** What the first pull of a model found. */
export type ModelPin = z.output<typeof pinSchema>;

/** A lock file that cannot be read or written. */
export class ModelLockError extends Error {
  override readonly name = "ModelLockError";
}

/** `ragline.models.lock`: the commit and the hashes of models whose entries do not name them. To be kept with a project. */
export class ModelLock {
  readonly path: string;

  constructor(path: string) {
    this.path = resolve(path);
  }

  /**
   * The pins, by key.
   * @throws ModelLockError when the file is no lock file.
   */
  async read(): Promise<Readonly<Record<string, ModelPin>>> {
    let text: string;
    try {
      text = await readFile(this.path, "utf8");
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return {};
      throw new ModelLockError(`cannot read ${this.path}: ${(error as Error).message}`, { cause: error });
    }
    try {
      return lockSchema.parse(JSON.parse(text)).models;
    } catch (cause) {
      throw new ModelLockError(
        `${this.path} is no lock file of models; restore it, or remove it and pull the models again`,
        { cause },
      );
    }
  }

  /** Adds to the pin of a model, or puts another in its place. What others write at the same time is kept. */
  async write(key: string, pin: ModelPin): Promise<void> {
    try {
      await withFileLock(`${this.path}.busy`, async () => {
        const models = new Map(Object.entries(await this.read()));
        const before = models.get(key);
        const isSame = before?.repository === pin.repository && before.revision === pin.revision;
        const files = { ...(isSame ? before.files : {}), ...pin.files };
        models.set(key, { repository: pin.repository, revision: pin.revision, files: sorted(files) });
        const content = { version: 1, models: sorted(Object.fromEntries(models)) };
        await placeText(this.path, `${JSON.stringify(content, undefined, 2)}\n`);
      });
    } catch (error) {
      if (error instanceof ModelLockError) throw error;
      throw new ModelLockError(
        `cannot write ${this.path}: ${(error as Error).message}; choose another place with --models-lock`,
        { cause: error },
      );
    }
  }
}

function sorted<Value>(record: Readonly<Record<string, Value>>): Record<string, Value> {
  return Object.fromEntries(Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1)));
}
