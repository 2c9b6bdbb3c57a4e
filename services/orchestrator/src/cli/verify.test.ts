import { spawn } from "node:child_process";
import { once } from "node:events";
import { cp, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import type { DenseComparison, RunVerification } from "@ragline/artifacts";
import { afterAll, beforeAll, expect, test } from "vitest";
import { directoryOf, documents, runHere } from "../run-fixture.js";

const ragline = fileURLToPath(new URL("../../bin/ragline.mjs", import.meta.url));
let directory: Awaited<ReturnType<typeof directoryOf>>;

beforeAll(async () => {
  directory = await directoryOf(
    Object.fromEntries(Object.entries(documents).map(([name, content]) => [join("input", name), content])),
  );
  const settings = { input: [join(directory.path, "input")], collections: ["docs"] };
  await runHere({ ...settings, outputDir: join(directory.path, "full") });
  await runHere({
    ...settings,
    outputDir: join(directory.path, "dense-only"),
    exportPrefix: "base",
    enableRerank: false,
    enableSparse: false,
  });
}, 120_000);
afterAll(() => directory.remove());

async function verify(...args: string[]): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const child = spawn(process.execPath, [ragline, "verify", ...args], { cwd: directory.path });
  const [stdout, stderr, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, "exit") as Promise<[number | null]>,
  ]);
  return { code, stdout, stderr };
}

test("a run that is as it was written is sound", async () => {
  const { code, stdout, stderr } = await verify("--run", "full");
  expect(stderr).toBe("");
  expect(stdout).toMatch(/docs_embeddings\.npy +\d+ +[0-9a-f]{12} +yes/);
  expect(stdout).toMatch(/processing_summary\.json +\d+ +[0-9a-f]{12} +yes/);
  expect(stdout).toMatch(/Sound: \d chunks, \d+ dense vectors, \d+ sparse vectors, \d points, \d reranked queries/);
  expect(code).toBe(0);
});

test("the dense files of a run with every stage are those of a dense-only run under another prefix", async () => {
  const { code, stdout } = await verify("--run", "full", "--baseline", "dense-only");
  expect(stdout).toMatch(/all-miniLM-l6_embeddings\.npy +[0-9a-f]{12} +[0-9a-f]{12} +yes/);
  expect(stdout).toContain("All 6 dense files are those of the baseline.");
  expect(code).toBe(0);
  expect((await verify("--run", "dense-only", "--baseline", "full")).code).toBe(0);
});

test("a flipped bit is found, named and tabled, against the manifest and against the baseline", async () => {
  await cp(join(directory.path, "full"), join(directory.path, "flipped"), { recursive: true });
  const path = join(directory.path, "flipped", "docs_embeddings.npy");
  const bytes = await readFile(path);
  bytes[bytes.length - 7] = (bytes[bytes.length - 7] ?? 0) ^ 1;
  await writeFile(path, bytes);
  const plain = await verify("--run", "flipped", "--baseline", "dense-only");
  expect(plain.code).toBe(1);
  expect(plain.stdout).toMatch(/docs_embeddings\.npy +\d+ +[0-9a-f]{12} +NO/);
  expect(plain.stdout).toContain("hash: docs_embeddings.npy has another sha256 than the manifest says");
  expect(plain.stdout).toMatch(/mismatch: docs_index\.faiss holds another vector than docs_embeddings\.npy \(row \d\)/);
  expect(plain.stdout).toMatch(/\n {0,2}embeddings\.npy +[0-9a-f]{12} +[0-9a-f]{12} +NO/);
  expect(plain.stdout).toContain("1 of 6 dense files differ from the baseline's.");

  const json = await verify("--run", "flipped", "--baseline", "dense-only", "--json");
  expect(json.code).toBe(1);
  const report = JSON.parse(json.stdout) as RunVerification & { sound: boolean; baseline: DenseComparison[] };
  expect(report.sound).toBe(false);
  expect(report.problems[0]).toMatchObject({ file: expect.stringMatching(/^docs_/) as string });
  expect(report.baseline.filter(({ equal }) => !equal).map(({ part }) => part)).toEqual(["embeddings.npy"]);
});

test("a manifest that was changed is found, and one that cannot be read is a problem and not a crash", async () => {
  await cp(join(directory.path, "full"), join(directory.path, "manifest"), { recursive: true });
  const path = join(directory.path, "manifest", "processing_summary.json");
  const json = await readFile(path, "utf8");
  await writeFile(path, json.replace('"v4.1"', '"v4.2"'));
  const changed = await verify("--run", "manifest");
  expect([changed.code, changed.stdout]).toEqual([
    1,
    expect.stringContaining("manifest: processing_summary.json was changed"),
  ]);
  await writeFile(path, json.slice(0, 100));
  const cut = await verify("--run", "manifest", "--baseline", "full");
  expect([cut.code, cut.stdout]).toEqual([1, expect.stringContaining("is not valid JSON")]);
});

test.each([
  [["--run", "nowhere"], "no run has finished there"],
  [["--run", "full", "--baseline", "nowhere"], "no run has finished there"],
  [[], "--run"],
])("ragline verify %j exits 2 and says why", async (args, message) => {
  const { code, stderr } = await verify(...args);
  expect([code, stderr]).toEqual([2, expect.stringContaining(message)]);
});
