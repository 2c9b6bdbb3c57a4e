// Fails when libs/contracts/src/generated is not what `buf generate` makes of proto/.
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { compareFolders } from "./compare-folders.js";

const generated = "libs/contracts/src/generated";
const scratch = mkdtempSync(join(tmpdir(), "ragline-generated-"));
try {
  execFileSync("buf", ["generate", "--output", scratch], { stdio: "inherit" });
  const differences = compareFolders(join(scratch, generated), generated);
  for (const difference of differences) console.error(`${generated}/${difference}`);
  if (differences.length > 0) {
    console.error("The generated code does not match proto/: run `npm run generate` and commit the result.");
    process.exitCode = 1;
  } else {
    console.log("The generated code matches proto/.");
  }
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
