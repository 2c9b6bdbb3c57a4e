import { readFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { placeText } from "@ragline/files";
import type { MemoryModel } from "./memory-model.js";

/** What a measured memory model is true of. */
export interface MemoryModelKey {
  /** One hash over all files of the graph. */
  readonly graphSha256: string;
  readonly deviceKind: string;
  /** Name and version of what computes. */
  readonly runtime: string;
  readonly threads: number;
}

// Of the format and of what is measured; a file of another version is measured anew.
const version = 2;

function defaultDirectory(): string {
  const { XDG_CACHE_HOME, LOCALAPPDATA } = process.env;
  return join(XDG_CACHE_HOME || LOCALAPPDATA || join(homedir(), ".cache"), "ragline", "memory-models");
}

const isCount = (value: unknown): value is number => typeof value === "number" && Number.isFinite(value) && value > 0;

function isMemoryModel(value: unknown): value is MemoryModel {
  const { loadedBytes, buckets, margin = 1 } = (value ?? {}) as Partial<Record<keyof MemoryModel, unknown>>;
  if (!isCount(loadedBytes) || !isCount(margin) || !Array.isArray(buckets) || buckets.length === 0) return false;
  return buckets.every((each: { columns?: unknown; bytesPerToken?: unknown } | null, i) => {
    const before = buckets[i - 1] as { columns: number } | undefined;
    return isCount(each?.columns) && isCount(each.bytesPerToken) && each.columns > (before?.columns ?? 0);
  });
}

/** Measured memory models, a small file each, so that a model is measured once on a machine. */
export class MemoryModelStore {
  readonly #directory: string;

  /** @param directory where the files are; the user's cache folder by default. */
  constructor(directory = defaultDirectory()) {
    this.#directory = directory;
  }

  /** What was measured; undefined if nothing was, or if the file is not what we wrote. */
  async read(key: MemoryModelKey): Promise<MemoryModel | undefined> {
    try {
      const file = JSON.parse(await readFile(this.#path(key), "utf8")) as { version?: unknown; memory?: unknown };
      return file.version === version && isMemoryModel(file.memory) ? file.memory : undefined;
    } catch {
      return undefined;
    }
  }

  /** Keeps a measure. @returns false where the folder cannot be written; then it is measured again the next time. */
  async write(key: MemoryModelKey, memory: MemoryModel): Promise<boolean> {
    return placeText(this.#path(key), `${JSON.stringify({ version, key, memory }, null, 2)}\n`).then(
      () => true,
      () => false,
    );
  }

  #path({ graphSha256, deviceKind, runtime, threads }: MemoryModelKey): string {
    const name = `${graphSha256.slice(0, 16)}-${deviceKind}-${runtime}-t${threads}`;
    return join(this.#directory, `${name.replace(/[^\w.-]+/g, "_")}.json`);
  }
}
