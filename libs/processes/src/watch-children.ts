import type { ChildProcess } from "node:child_process";
import { subscribe, unsubscribe } from "node:diagnostics_channel";

/** The child processes that this process starts from a moment on. */
export interface ChildWatch {
  /** In the order of their start. */
  readonly all: readonly ChildProcess[];
  /** Those that run. */
  readonly living: () => ChildProcess[];
  /** Ends the watch. */
  readonly stop: () => void;
}

/** Watches from now on which child processes this process starts. */
export function watchChildren(): ChildWatch {
  const all: ChildProcess[] = [];
  const onStart = (message: unknown): void => void all.push((message as { process: ChildProcess }).process);
  subscribe("child_process", onStart);
  return {
    all,
    living: () => all.filter(({ pid, exitCode, signalCode }) => pid && exitCode === null && signalCode === null),
    stop: () => void unsubscribe("child_process", onStart),
  };
}
