import { randomUUID } from "node:crypto";
import { link, open, readFile, rename, rm, stat, utimes } from "node:fs/promises";
import { dirname } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { makeDirectories } from "@ragline/files";

/** How {@link withFileLock} waits. */
export interface FileLockOptions {
  /** Milliseconds without a sign of life after which a holder counts as dead. @default 10000 */
  readonly staleMs?: number;
  /** Told once, when another process has the lock. */
  readonly onWait?: () => void;
  /** Gives up waiting. @default never */
  readonly signal?: AbortSignal;
}

const isCode = (error: unknown, code: string): boolean => (error as NodeJS.ErrnoException | null)?.code === code;

/** Makes the lock file. Returns false where there is one. */
async function tryTake(path: string, token: string): Promise<boolean> {
  try {
    const file = await open(path, "wx");
    try {
      await file.writeFile(token);
    } finally {
      await file.close();
    }
    return true;
  } catch (error) {
    if (isCode(error, "EEXIST")) return false;
    throw error;
  }
}

/** What a living holder keeps changing; undefined when the lock is gone. */
async function signOfLife(path: string): Promise<string | undefined> {
  try {
    const [token, { mtimeMs }] = await Promise.all([readFile(path, "utf8"), stat(path)]);
    return `${token} ${mtimeMs}`;
  } catch (error) {
    if (isCode(error, "ENOENT")) return undefined;
    throw error;
  }
}

/** Takes a dead holder's lock away. One that was taken anew in the meantime is put back. */
async function clearStale(path: string, seen: string): Promise<void> {
  const aside = `${path}.${randomUUID()}`;
  try {
    await rename(path, aside);
    if ((await signOfLife(aside)) !== seen) await link(aside, path);
  } catch (error) {
    if (!isCode(error, "ENOENT") && !isCode(error, "EEXIST")) throw error;
  } finally {
    await rm(aside, { force: true });
  }
}

/**
 * Runs something while no other process runs something under the same lock, on this machine or on others that share the
 * file system. The holder touches the file all the while; who waits watches for that with its own clock, so clocks need
 * not agree and process ids need not mean the same.
 * @throws the signal's reason when it aborts while waiting, and whatever `run` throws.
 */
export async function withFileLock<Result>(
  path: string,
  run: () => Promise<Result>,
  { staleMs = 10_000, onWait, signal }: FileLockOptions = {},
): Promise<Result> {
  const token = randomUUID();
  await makeDirectories(dirname(path));
  let seen: string | undefined;
  let unchangedSince = performance.now();
  let told = false;
  while (!(await tryTake(path, token))) {
    if (!told) onWait?.();
    told = true;
    const sign = await signOfLife(path);
    if (sign === undefined || sign !== seen) {
      seen = sign;
      unchangedSince = performance.now();
    } else if (performance.now() - unchangedSince > staleMs) {
      await clearStale(path, sign);
      continue;
    }
    await delay(Math.min(200, staleMs / 4), undefined, signal ? { signal } : {}).catch(() => signal?.throwIfAborted());
  }
  const heartbeat = setInterval(() => {
    const now = new Date();
    utimes(path, now, now).catch(() => undefined);
  }, staleMs / 5);
  heartbeat.unref();
  try {
    return await run();
  } finally {
    clearInterval(heartbeat);
    // Not where somebody thought us dead and took it.
    if ((await readFile(path, "utf8").catch(() => "")) === token) await rm(path, { force: true });
  }
}
