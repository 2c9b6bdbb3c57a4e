import { readProc } from "./read-proc.js";

/** Whether this system tells what {@link peakResidentBytes} and {@link processorSeconds} ask for. */
export function hasProcessUsage(): boolean {
  return readProc(process.pid, "status").includes("VmHWM:");
}

/** The largest resident memory that a process has had so far (VmHWM); 0 when it has ended. */
export function peakResidentBytes(pid: number): number {
  return 1024 * Number(/^VmHWM:\s+(\d+) kB/m.exec(readProc(pid, "status"))?.[1] ?? 0);
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
