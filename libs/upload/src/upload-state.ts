import { createHash } from "node:crypto";
import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { placeText } from "@ragline/files";
import { z } from "zod";

const stateSchema = z.object({
  url: z.string(),
  collection: z.string(),
  /** Of the points' file. */
  sha256: z.string(),
  /** Points from the file's beginning that the server has confirmed. */
  confirmed: z.int().nonnegative(),
});

/** How far an upload has come, in a small file beside the run, so that it can go on after whatever ended it. */
export class UploadState {
  readonly path: string;
  readonly #key: { readonly url: string; readonly collection: string; readonly sha256: string };
  #writable = true;

  /** @param sha256 of the points' file: progress with another one counts for nothing. */
  constructor(dir: string, key: { readonly url: string; readonly collection: string; readonly sha256: string }) {
    const name = createHash("sha256").update(`${key.url}\n${key.collection}`).digest("hex").slice(0, 16);
    this.path = join(dir, `.ragline-upload-${name}.json`);
    this.#key = key;
  }

  /** Points confirmed by an earlier upload of the same file to the same place; 0 when there was none. */
  async read(): Promise<number> {
    try {
      const { confirmed, ...key } = stateSchema.parse(JSON.parse(await readFile(this.path, "utf8")));
      return Object.entries(this.#key).every(([name, value]) => key[name as keyof typeof key] === value)
        ? confirmed
        : 0;
    } catch {
      // Missing or damaged: nothing is known, so everything is sent.
      return 0;
    }
  }

  /** Notes what is confirmed. Where the directory cannot be written to, the upload goes on without. */
  async write(confirmed: number): Promise<void> {
    if (!this.#writable) return;
    try {
      await placeText(this.path, `${JSON.stringify({ ...this.#key, confirmed })}\n`);
    } catch {
      this.#writable = false;
    }
  }

  /** Forgets what was noted. */
  async clear(): Promise<void> {
    await rm(this.path, { force: true }).catch(() => undefined);
  }
}
