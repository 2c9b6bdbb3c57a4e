import { HubError } from "./hub-error.js";

const isSystemError = (error: unknown): error is NodeJS.ErrnoException =>
  error instanceof Error && "code" in error && "syscall" in error;

const full: readonly unknown[] = ["ENOSPC", "EDQUOT"];
const ofDisks: readonly unknown[] = [...full, "EIO", "EROFS", "EBADF"];

/** Whether a file could not be written, rather than anything with the connection that its bytes came over. */
export function isDiskError(error: unknown): boolean {
  return isSystemError(error) && ofDisks.includes(error.code);
}

/** A failure of the file system as a sentence for the user; every other error as it is. */
export function explainDiskError(repository: string, cacheDir: string, error: unknown): unknown {
  if (!isSystemError(error)) return error;
  const advice = full.includes(error.code)
    ? "make room there and pull again, what has come is kept"
    : "choose another folder with --hf-cache-dir";
  const problem = `cannot read or write the cache ${cacheDir}: ${error.message}`;
  return new HubError("cannot_write", `${repository}: ${problem}; ${advice}`, { cause: error });
}
