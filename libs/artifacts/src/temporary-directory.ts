import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** An empty directory for a test, removed when `onTestFinished` (that of vitest) says so. */
export function temporaryDirectory(onTestFinished: (remove: () => void) => void): string {
  const dir = mkdtempSync(join(tmpdir(), "ragline-artifacts-"));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}
