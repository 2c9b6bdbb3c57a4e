import { RaglineError } from "@ragline/rpc";
import { exitCodes } from "./exit-codes.js";

// Package managers pass Ctrl-C on to a process that the terminal has told already; two at once are one.
const sameMs = 500;

/** Turns Ctrl-C and SIGTERM into an abort, so that nothing half-written stays; a second one ends the process at once. */
export function interruption(): { readonly signal: AbortSignal; readonly interrupted: () => boolean } {
  const controller = new AbortController();
  let firstAt: number | undefined;
  const onSignal = (name: NodeJS.Signals): void => {
    const now = performance.now();
    if (firstAt !== undefined && now - firstAt > sameMs) process.exit(exitCodes.interrupted);
    firstAt ??= now;
    controller.abort(new RaglineError("CANCELLED", "STOPPED", `stopped by ${name}`));
  };
  for (const name of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(name, onSignal);
  return { signal: controller.signal, interrupted: () => firstAt !== undefined };
}
