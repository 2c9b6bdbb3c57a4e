// Writes the BM25 run of a data set for metrics_oracle.py: node tools/dist/oracles/write-bm25-run.js <data set> <folder>
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { openDataset, writeTrecRun } from "@ragline/evaluation";
import { bm25Run } from "./bm25-run.js";

const [path = "", folder = ""] = process.argv.slice(2);
const dataset = await openDataset(path);
await mkdir(folder, { recursive: true });
await writeTrecRun(join(folder, `${dataset.name}.run`), await bm25Run(dataset), "bm25");
const lines = [...dataset.judgements].flatMap(([query, grades]) =>
  Array.from(grades, ([document, grade]) => `${query} 0 ${document} ${grade}\n`),
);
await writeFile(join(folder, `${dataset.name}.qrels`), lines.join(""));
