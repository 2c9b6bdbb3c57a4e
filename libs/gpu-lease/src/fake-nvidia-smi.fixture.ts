import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished, vi } from "vitest";

/** Two GPUs as the driver lists them, in MiB. */
export const twoGpus = `0, GPU-aaaa1111-0000, NVIDIA H100 80GB HBM3, 81559, 1024
1, GPU-bbbb2222-0000, NVIDIA T4, 15360, 3`;

/** Puts a program `nvidia-smi` in front of the PATH whose body is a shell script; `calls` counts how often it began. */
export function fakeNvidiaSmi(body: string): { calls: () => number } {
  const directory = mkdtempSync(join(tmpdir(), "ragline-smi-"));
  onTestFinished(() => {
    rmSync(directory, { recursive: true, force: true });
    vi.unstubAllEnvs();
  });
  const log = join(directory, "calls");
  writeFileSync(log, "");
  const program = join(directory, "nvidia-smi");
  writeFileSync(program, `#!/bin/sh\necho "$@" >> ${log}\n${body}\n`);
  chmodSync(program, 0o755);
  vi.stubEnv("PATH", `${directory}:${process.env["PATH"]}`);
  return { calls: () => readFileSync(log, "utf8").split("\n").length - 1 };
}

/** Prints these lines. */
export function printing(lines: string): string {
  return `cat <<'END'\n${lines}\nEND`;
}
