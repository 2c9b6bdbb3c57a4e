import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** For tests: an empty directory that goes when this process does. */
export function temporaryDirectory(): string {
  const dir = mkdtempSync(join(tmpdir(), "ragline-artifacts-"));
  process.once("exit", () => rmSync(dir, { recursive: true, force: true }));
  return dir;
}
