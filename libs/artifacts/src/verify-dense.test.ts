import { expect, onTestFinished, test } from "vitest";
import { temporaryDirectory } from "./temporary-directory.js";
import { names, problemsOf, runFiles, writeRun } from "./verify-run.fixture.js";

const file = names.companionEmbeddings("mini");
const headerBytes = 128;
const rowBytes = 3 * 4;

/** What is found wrong with the vectors of a model whose rows 1 and 3 are zero. */
async function problemsOfZeroRows(outcomes: readonly object[]): Promise<string[]> {
  const path = temporaryDirectory(onTestFinished);
  const files = runFiles();
  const matrix = Buffer.from(files.get(file) ?? "");
  for (const row of [1, 3]) matrix.fill(0, headerBytes + row * rowBytes, headerBytes + (row + 1) * rowBytes);
  files.set(file, matrix);
  writeRun(path, files, { outcomes });
  return (await problemsOf(path)).filter((problem) => problem.startsWith(`value ${file}`));
}

const told = { stage: "dense", model: "mini", reason: "out_of_memory", source: "runtime", count: 2, degraded: true };
const zeroAt = (row: number) => `value ${file}:${row} holds a vector of length 0.00000 instead of 1`;

test.each<[what: string, outcomes: readonly object[], expected: readonly string[]]>([
  ["no outcome", [], [zeroAt(1), zeroAt(3)]],
  ["an outcome of as many chunks", [told], []],
  [
    "outcomes of as many chunks together",
    [
      { ...told, count: 1 },
      { ...told, count: 1 },
    ],
    [],
  ],
  ["an outcome of more chunks", [{ ...told, count: 5 }], []],
  ["an outcome of fewer chunks", [{ ...told, count: 1 }], [zeroAt(3)]],
  ["an outcome of another model", [{ ...told, model: "bge" }], [zeroAt(1), zeroAt(3)]],
  ["an outcome of another stage", [{ ...told, stage: "sparse" }], [zeroAt(1), zeroAt(3)]],
  ["an outcome of another kind", [{ ...told, reason: "text_truncated" }], [zeroAt(1), zeroAt(3)]],
  ["an outcome without a count", [{ ...told, count: undefined }], [zeroAt(1), zeroAt(3)]],
])("rows of zeros with %s in the manifest", async (_, outcomes, expected) => {
  expect(await problemsOfZeroRows(outcomes)).toEqual(expected);
});
