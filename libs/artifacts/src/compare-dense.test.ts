import { unlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { compareDense } from "./compare-dense.js";
import { temporaryDirectory } from "./temporary-directory.js";
import { names, runFiles, writeRun } from "./verify-run.fixture.js";

test("the dense files of two runs are compared by hash, whatever their prefix", async () => {
  const [run, baseline] = [temporaryDirectory(onTestFinished), temporaryDirectory(onTestFinished)];
  const files = runFiles();
  writeRun(run, files);
  const renamed = [...files].map(([name, bytes]): [string, Buffer] => [
    name.replace("docs_", "base_"),
    name === names.stats ? Buffer.from(bytes.toString().replaceAll("docs_", "base_")) : bytes,
  ]);
  writeRun(baseline, new Map(renamed.filter(([name]) => !/sparse|fused|rerank/.test(name))));
  const parts = [
    "embeddings.npy",
    "mini_embeddings.npy",
    "index.faiss",
    "index_ids.faiss",
    "metadata.json",
    "texts.json",
    "stats.json",
  ];
  const same = await compareDense(run, baseline);
  expect(same.map(({ part, equal }) => [part, equal])).toEqual(parts.map((part) => [part, true]));

  unlinkSync(join(baseline, "base_mini_embeddings.npy"));
  writeFileSync(join(baseline, "base_texts.json"), "[]");
  const different = (await compareDense(run, baseline)).filter(({ equal }) => !equal);
  expect(different.map(({ part, baseline: hash }) => [part, hash === undefined])).toEqual([
    ["mini_embeddings.npy", true],
    ["texts.json", false],
  ]);
});
