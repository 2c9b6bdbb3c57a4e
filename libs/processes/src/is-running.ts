import { readProc } from "./read-proc.js";

/** Whether a process of this host runs, also one of another user. One that has ended but was not reaped yet does not. */
export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    // EPERM: it lives, but is not ours.
    if (!(error instanceof Error && "code" in error && error.code === "EPERM")) return false;
  }
  return !/^State:\s+Z/m.test(readProc(pid, "status"));
}
