import { existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { measureRun, openDataset } from "@ragline/evaluation";
import { expect, test } from "vitest";
import { bm25Run } from "./bm25-run.js";

const dataDir = resolve(process.env.RAGLINE_DATA ?? "../shared/data");

/** trec_eval's means of the same runs, in millionths; tools/oracles/README.md says how the files are made. */
function trecEval(name: string): Record<string, number> {
  const path = new URL(`fixtures/${name}.json`, import.meta.url);
  const { metrics, means } = JSON.parse(readFileSync(path, "utf8")) as {
    metrics: string[];
    means: Record<string, number[]>;
  };
  return Object.fromEntries(metrics.map((metric, i) => [metric, (means[name]?.[i] ?? Number.NaN) / 1e6]));
}

for (const { name, least } of [
  // Published for Lucene with k = 0.9 and b = 0.4: 0.679.
  { name: "scifact", least: 0.679 },
  { name: "cranfield", least: 0.36 },
]) {
  const path = join(dataDir, name);
  const here = existsSync(path);
  test.skipIf(!here)(
    `BM25 on ${name} has trec_eval's figures in every metric${here ? "" : ` (skipped: there is no ${path}; RAGLINE_DATA names the data folder)`}`,
    async () => {
      const dataset = await openDataset(path);
      const expected = trecEval(name);
      const { mean } = measureRun(dataset.judgements, await bm25Run(dataset), { metrics: Object.keys(expected) });
      for (const [metric, value] of Object.entries(expected)) expect(mean[metric], metric).toBeCloseTo(value, 5);
      expect(mean["nDCG@10"]).toBeGreaterThan(least);
    },
  );
}
