import { rmSync, unlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { expect, onTestFinished, test } from "vitest";
import { MANIFEST_NAME } from "./artifact-names.js";
import { sealManifest } from "./manifest-seal.js";
import { temporaryDirectory } from "./temporary-directory.js";
import {
  bytesOfLines,
  linesOf,
  names,
  problemsOf,
  readRun,
  runFiles,
  vocabularySize,
  writeRun,
} from "./verify-run.fixture.js";
import { verifyRun } from "./verify-run.js";

test("an untouched run has no problems, and everything in it was looked at", async () => {
  const dir = temporaryDirectory(onTestFinished);
  writeRun(dir, runFiles());
  let last: [number, number] | undefined;
  const { problems, warnings, files, checked } = await verifyRun(dir, {
    vocabularySize,
    onProgress: (...progress) => {
      last = progress;
    },
  });
  expect(problems).toEqual([]);
  expect(warnings).toEqual([]);
  expect(files.map(({ name, intact }) => [name, intact])).toEqual(
    [...runFiles().keys(), MANIFEST_NAME].map((name) => [name, true]),
  );
  expect(checked).toMatchObject({ chunks: 6, denseVectors: 12, sparseVectors: 11, points: 6, rerankedQueries: 2 });
  expect(last?.[0]).toBe(last?.[1]);
});

const lineFiles = [names.metadata, names.texts, names.qdrant, names.sparse, names.rerank];
const allFiles = [...runFiles().keys(), MANIFEST_NAME];

/** A change to one file: its new bytes, undefined for a file that is removed. */
const damage = fc.oneof(
  fc.record({ kind: fc.constant("flip" as const), name: fc.constantFrom(...allFiles), at: fc.nat(), bit: fc.nat(7) }),
  fc.record({ kind: fc.constant("cut" as const), name: fc.constantFrom(...allFiles), at: fc.nat(), bit: fc.nat(7) }),
  fc.record({ kind: fc.constant("grow" as const), name: fc.constantFrom(...allFiles), at: fc.nat(), bit: fc.nat(7) }),
  fc.record({
    kind: fc.constant("remove" as const),
    name: fc.constantFrom(...runFiles().keys()),
    at: fc.nat(),
    bit: fc.nat(7),
  }),
  fc.record({
    kind: fc.constantFrom("double" as const, "swap" as const, "drop" as const),
    name: fc.constantFrom(...lineFiles),
    at: fc.nat(),
    bit: fc.nat(7),
  }),
);

type Damage = typeof damage extends fc.Arbitrary<infer Value> ? Value : never;

function damaged(bytes: Buffer, { kind, at, bit }: Damage): Buffer | undefined {
  const copy = Buffer.from(bytes);
  const lines = linesOf(bytes);
  // Behind the "[" of a list, before the last line end.
  const line = 1 + (at % Math.max(1, lines.length - 3));
  switch (kind) {
    case "flip":
      copy[at % copy.length] = (copy[at % copy.length] ?? 0) ^ (1 << bit);
      return copy;
    case "cut":
      return copy.subarray(0, at % copy.length);
    case "grow":
      return Buffer.concat([copy, Buffer.from([at % 256])]);
    case "remove":
      return undefined;
    case "double":
      return bytesOfLines(lines.toSpliced(line, 0, lines[line] ?? ""));
    case "drop":
      return bytesOfLines(lines.toSpliced(line, 1));
    case "swap":
      return bytesOfLines(lines.toSpliced(line - 1, 2, lines[line] ?? "", lines[line - 1] ?? ""));
  }
}

test("whatever is done to a file of a run, the manifest included, is found", async () => {
  const dir = temporaryDirectory(onTestFinished);
  writeRun(dir, runFiles());
  const whole = readRun(dir);
  await fc.assert(
    fc.asyncProperty(damage, async (change) => {
      const bytes = whole.get(change.name) ?? Buffer.alloc(0);
      const after = damaged(bytes, change);
      fc.pre(after === undefined || !after.equals(bytes));
      if (after) writeFileSync(join(dir, change.name), after);
      else unlinkSync(join(dir, change.name));
      try {
        const problems = await problemsOf(dir);
        expect(problems.length).toBeGreaterThan(0);
        if (after && change.name !== MANIFEST_NAME) expect(problems.join("\n")).toContain(`hash ${change.name}`);
      } finally {
        writeFileSync(join(dir, change.name), bytes);
      }
    }),
    { numRuns: 300 },
  );
}, 60_000);
test("files that the manifest does not list and remains of a killed run are found, other files are not", async () => {
  const dir = temporaryDirectory(onTestFinished);
  writeRun(dir, runFiles());
  for (const name of ["docs_old_embeddings.npy", ".ragline-run-1-x", "notes.txt"]) writeFileSync(join(dir, name), "x");
  expect((await problemsOf(dir)).sort()).toEqual([
    "unlisted .ragline-run-1-x was left by a run that did not finish",
    "unlisted docs_old_embeddings.npy has the run's prefix, but the manifest does not list it",
  ]);
});

test("a manifest without a checksum, from the future, or that is no JSON is a problem; none at all is an error", async () => {
  const dir = temporaryDirectory(onTestFinished);
  writeRun(dir, runFiles());
  const write = (text: string) => writeFileSync(join(dir, MANIFEST_NAME), text);
  write('{"schema_version":"v4.0","collection":"docs","chunk_count":6}');
  expect((await problemsOf(dir)).join("\n")).toMatch(/has no manifest_sha256 as its last key/);
  write(sealManifest({ schema_version: "v9.0" }));
  expect(await problemsOf(dir)).toEqual([expect.stringMatching(/^manifest .*has schema version v9.0/)]);
  write("{");
  expect((await problemsOf(dir)).join("\n")).toMatch(/is not valid JSON/);
  rmSync(join(dir, MANIFEST_NAME));
  await expect(verifyRun(dir)).rejects.toThrow(/no run has finished there/);
});

test("a verification can be stopped", async () => {
  const dir = temporaryDirectory(onTestFinished);
  writeRun(dir, runFiles());
  await expect(verifyRun(dir, { signal: AbortSignal.abort(new Error("stopped")) })).rejects.toThrow("stopped");
});
