// SciFact from its files to the table: ragline eval with an empty cache, in texts a second.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { copyFile, mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fromRoot, runBenchmark } from "./run-benchmark.js";
import { spreadOf } from "./statistics.js";

const lines = async (path: string) => (await readFile(path, "utf8")).split("\n").filter((line) => line !== "");

await runBenchmark({
  name: "evaluation-throughput",
  defaultRounds: 1,
  needs: "scifact",
  measure: async ({ rounds, limit, dataDir, folder, say }) => {
    const source = join(dataDir, "scifact");
    const dataset = join(folder, "scifact");
    await mkdir(join(dataset, "qrels"), { recursive: true });
    const corpus = (await lines(join(source, "corpus.jsonl"))).slice(0, limit);
    await writeFile(join(dataset, "corpus.jsonl"), `${corpus.join("\n")}\n`);
    await copyFile(join(source, "queries.jsonl"), join(dataset, "queries.jsonl"));
    await copyFile(join(source, "qrels/test.tsv"), join(dataset, "qrels/test.tsv"));
    const queries = new Set((await lines(join(source, "qrels/test.tsv"))).slice(1).map((line) => line.split("\t")[0]));
    const rates: number[] = [];
    const again: number[] = [];
    for (let round = 0; round < rounds; round++) {
      const args = ["eval", "--dataset", dataset, "--cache-dir", join(folder, `cache-${round}`), "--disable-rerank"];
      for (const found of [rates, again]) {
        const startedAt = performance.now();
        const child = spawn(process.execPath, [fromRoot("services/orchestrator/bin/ragline.mjs"), ...args], {
          stdio: ["ignore", "ignore", "inherit"],
        });
        const [code] = (await once(child, "exit")) as [number | null];
        if (code !== 0) throw new Error(`ragline eval ended with ${code}`);
        found.push((performance.now() - startedAt) / 1000);
      }
      say(`round ${round + 1} of ${rounds}`);
    }
    const texts = corpus.length + queries.size;
    return {
      figures: [
        { name: "texts, each by four models, to the table", unit: "texts/s", ...spreadOf(rates.map((s) => texts / s)) },
        { name: "the whole of it", unit: "s", ...spreadOf(rates) },
        { name: "again, with the documents in the cache", unit: "s", ...spreadOf(again) },
      ],
      notes: [`${corpus.length} documents and ${queries.size} queries; two dense models, SPLADE and BM25, no rerank`],
    };
  },
});
