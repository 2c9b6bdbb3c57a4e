import { readdirSync, readFileSync } from "node:fs";

function readProc(pid: number, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, "utf8");
  } catch {
    return ""; // it ended meanwhile
  }
}

/** Whether this system tells what {@link childrenOf} and {@link peakResidentBytes} ask for. */
export function hasProc(): boolean {
  return readProc(process.pid, "status").includes("VmHWM:");
}

/** A process and the command that started it. */
export interface ChildCommand {
  readonly pid: number;
  readonly command: string;
}

/** The processes whose parent is `pid`. */
export function childrenOf(pid: number): ChildCommand[] {
  const pids = readdirSync("/proc").map(Number).filter(Number.isInteger);
  return pids
    .filter((child) => Number(/^PPid:\s+(\d+)/m.exec(readProc(child, "status"))?.[1]) === pid)
    .map((child) => ({ pid: child, command: readProc(child, "cmdline").replaceAll("\0", " ") }));
}

/** The largest resident memory that a process has had so far (VmHWM); 0 when it has ended. */
export function peakResidentBytes(pid: number): number {
  return 1024 * Number(/^VmHWM:\s+(\d+) kB/m.exec(readProc(pid, "status"))?.[1] ?? 0);
}
