import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterEach, beforeEach, expect, test } from "vitest";

const ragline = fileURLToPath(new URL("../../bin/ragline.mjs", import.meta.url));
let root = "";

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "ragline-reading-"));
  const files = {
    "a.md": "# A",
    "b.txt": "words",
    "large.txt": "x".repeat(101),
    "drafts/c.md": "# C",
    "out/d.md": "# D",
    ".gitignore": "out\n",
  };
  for (const [name, content] of Object.entries(files)) {
    await mkdir(join(root, "in", name, ".."), { recursive: true });
    await writeFile(join(root, "in", name), content);
  }
});

afterEach(() => rm(root, { recursive: true, force: true }));

/** The documents that came out as chunk files, and what was printed. */
async function chunk(...flags: string[]): Promise<{ names: string[]; output: string }> {
  const output = join(root, "chunks");
  const run = promisify(execFile)(process.execPath, [
    ragline,
    "chunk",
    "--input",
    join(root, "in"),
    "--output-dir",
    output,
    ...flags,
  ]);
  const { stdout, stderr } = await run;
  const files = await readdir(output, { recursive: true });
  return { names: files.filter((name) => name.endsWith("_chunks.json")).sort(), output: stdout + stderr };
}

test("globs, .gitignore and limits decide what is read", async () => {
  const { names, output } = await chunk("--include", "*.md", "*.txt", "--exclude", "drafts", "--max-file-bytes", "100");
  expect(names.map((name) => name.replace(/^.*\//, ""))).toEqual(["a_chunks.json", "b_chunks.json"]);
  expect(output).toMatch(/large\.txt has 101 bytes, over the limit of 100; split it, or raise the limit/);
  expect((await chunk("--no-gitignore", "--include", "d.md")).names.join()).toContain("d_chunks.json");
});
