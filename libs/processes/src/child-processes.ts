import { readdirSync } from "node:fs";
import { readProc } from "./read-proc.js";

/** A process and the command that started it. */
export interface ChildCommand {
  readonly pid: number;
  readonly command: string;
}

/** The processes whose parent is `pid`. Linux alone. */
export function childrenOf(pid: number): ChildCommand[] {
  const pids = readdirSync("/proc").map(Number).filter(Number.isInteger);
  return pids
    .filter((child) => Number(/^PPid:\s+(\d+)/m.exec(readProc(child, "status"))?.[1]) === pid)
    .map((child) => ({ pid: child, command: readProc(child, "cmdline").replaceAll("\0", " ") }));
}

/** Every process below `pid`: its children, theirs and so on. Linux alone. */
export function descendantsOf(pid: number): ChildCommand[] {
  return childrenOf(pid).flatMap((child) => [child, ...descendantsOf(child.pid)]);
}
