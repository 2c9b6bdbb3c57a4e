import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { isRunning } from "@ragline/processes";

/** Removes the directories named `<prefix><process id>-...` whose process is gone: what a killed run has left. */
export async function removeDeadDirectories(parent: string, prefix: string): Promise<void> {
  for (const name of await readdir(parent)) {
    const pid = name.startsWith(prefix) ? Number.parseInt(name.slice(prefix.length), 10) : Number.NaN;
    if (Number.isInteger(pid) && !isRunning(pid)) await rm(join(parent, name), { recursive: true, force: true });
  }
}
