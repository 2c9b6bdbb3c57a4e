import { createHash, randomUUID } from "node:crypto";
import { readdir, rm } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { isRunning } from "@ragline/processes";
import { isMissing } from "./is-missing.js";

/** What is written under a hidden name first: all files of a run in a directory of their own, or one file. */
export type PartialKind = "run" | "file";

/** A hidden path beside what it is going to be. */
export interface Partial {
  readonly path: string;
  readonly id: string;
  /** Says that it is done with: what is still there counts as left over. */
  close(): void;
}

/** A hidden path as it was found. */
export interface FoundPartial {
  readonly path: string;
  readonly kind: PartialKind;
  readonly pid: number;
  readonly id: string;
}

// The name says whose it is, so that what a killed process left can be told from what a living one is writing.
const prefixes: Readonly<Record<PartialKind, string>> = { run: ".ragline-partial-", file: ".ragline-file-" };
const namePattern = /^\.ragline-(partial|file)-([0-9a-f]{8})-(\d+)-([0-9a-f-]+)$/;
const host = createHash("sha256").update(hostname()).digest("hex").slice(0, 8);
const openIds = new Set<string>();

/** A new hidden path in a directory, `.ragline-<kind>-<host>-<process>-<id>`; nothing is made there. */
export function newPartial(directory: string, kind: PartialKind): Partial {
  const id = randomUUID();
  openIds.add(id);
  const path = join(directory, `${prefixes[kind]}${host}-${process.pid}-${id}`);
  return { path, id, close: () => void openIds.delete(id) };
}

/**
 * The hidden paths of this host's processes in a directory. Those of other hosts cannot be judged from here.
 * @throws what the file system says when the directory cannot be read; one that does not exist has none.
 */
export async function findPartials(directory: string): Promise<FoundPartial[]> {
  const names = await readdir(directory).catch((error: unknown) => {
    if (isMissing(error)) return [];
    throw error;
  });
  return names.flatMap((name) => {
    const [, word, owner, pid, id = ""] = namePattern.exec(name) ?? [];
    if (owner !== host) return [];
    return [{ path: join(directory, name), kind: word === "file" ? "file" : "run", pid: Number(pid), id }];
  });
}

/**
 * Removes what killed processes of this host left in a directory before they could place it.
 * @returns the paths.
 */
export async function removeStalePartials(directory: string): Promise<string[]> {
  const stale = (await findPartials(directory)).filter(({ pid, id }) =>
    pid === process.pid ? !openIds.has(id) : !isRunning(pid),
  );
  for (const { path } of stale) await rm(path, { recursive: true, force: true });
  return stale.map(({ path }) => path);
}
