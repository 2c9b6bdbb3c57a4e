import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { compareFolders } from "./compare-folders.js";

test("names each file that is missing, not expected or different", () => {
  const root = mkdtempSync(join(tmpdir(), "ragline-compare-"));
  try {
    const write = (folder: string, name: string, text: string): void => {
      mkdirSync(join(root, folder, "v1"), { recursive: true });
      writeFileSync(join(root, folder, "v1", name), text);
    };
    for (const name of ["same.ts", "changed.ts", "gone.ts"]) write("expected", name, name);
    write("actual", "same.ts", "same.ts");
    write("actual", "changed.ts", "by hand");
    write("actual", "stale.ts", "");
    expect(compareFolders(join(root, "expected"), join(root, "actual"))).toEqual([
      "v1/changed.ts differs",
      "v1/gone.ts is missing",
      "v1/stale.ts is not expected",
    ]);
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
});
