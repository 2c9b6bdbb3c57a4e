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

/** Every process below `pid`: its children, theirs and so on. */
export function descendantsOf(pid: number): ChildCommand[] {
  return childrenOf(pid).flatMap((child) => [child, ...descendantsOf(child.pid)]);
}

// What the kernel counts a process's time in (USER_HZ): 100 a second on every platform that Node runs on.
const ticksPerSecond = 100;

/** Seconds of processor time that a process has used so far, its threads together; 0 when it has ended. */
export function processorSeconds(pid: number): number {
  // Behind the command's name, which may hold blanks: the 12th and 13th field are user and system time.
  const [, rest = ""] = /\) (.*)/s.exec(readProc(pid, "stat")) ?? [];
  const fields = rest.split(" ");
  return (Number(fields[11] ?? 0) + Number(fields[12] ?? 0)) / ticksPerSecond;
}
