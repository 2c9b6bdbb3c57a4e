import { readFileSync } from "node:fs";

/** What Linux tells of a process in a file of /proc; empty where it tells nothing, as of one that has ended. */
export function readProc(pid: number, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, "utf8");
  } catch {
    return "";
  }
}
