// Fails when proto/ breaks clients of the contract as it stands on main.
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const baselines = ["main", "origin/main"];

const scratch = mkdtempSync(join(tmpdir(), "ragline-breaking-"));
try {
  const archive = join(scratch, "main.tar");
  // An archive of proto/ alone: given the repository itself, buf would clone it with all model files.
  const baseline = baselines.find(
    (ref) => spawnSync("git", ["archive", "--output", archive, ref, "proto", "buf.yaml"]).status === 0,
  );
  if (baseline === undefined) {
    console.log(`Skipped: no contract to compare with, since neither ${baselines.join(" nor ")} holds one here.`);
  } else {
    const { status } = spawnSync("buf", ["breaking", "--against", archive], { stdio: "inherit" });
    if (status === 0) console.log(`The contract breaks nothing that ${baseline} promises.`);
    process.exitCode = status ?? 1;
  }
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
