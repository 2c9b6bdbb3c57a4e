import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { setTimeout as delay } from "node:timers/promises";

const pollIntervalMs = 200;

/**
 * Runs `action` while no other process runs one under the same lock file. The file holds the owner's process id, so that
 * the lock of a process that died is taken over.
 *
 * @template T
 * @param {string} path the lock file
 * @param {() => Promise<T>} action what to do alone
 * @returns {Promise<T>} what `action` returned
 */
export async function withLock(path, action) {
  mkdirSync(dirname(path), { recursive: true });
  for (let waited = false; !tryLock(path); waited = true) {
    const owner = readOwner(path);
    if (owner !== undefined && !isAlive(owner)) {
      rmSync(path, { force: true });
      continue;
    }
    if (!waited) console.error(`Waiting for process ${owner ?? "(starting)"}, which sets this repository up.`);
    await delay(pollIntervalMs);
  }
  try {
    return await action();
  } finally {
    rmSync(path, { force: true });
  }
}

/** @param {string} path */
function tryLock(path) {
  try {
    writeFileSync(path, String(process.pid), { flag: "wx" });
    return true;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "EEXIST") return false;
    throw error;
  }
}

/** @param {string} path */
function readOwner(path) {
  try {
    const owner = Number.parseInt(readFileSync(path, "utf8"), 10);
    return Number.isNaN(owner) ? undefined : owner;
  } catch {
    return undefined; // released in between
  }
}

/** @param {number} processId */
function isAlive(processId) {
  try {
    process.kill(processId, 0);
    return processId !== process.pid;
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
}
