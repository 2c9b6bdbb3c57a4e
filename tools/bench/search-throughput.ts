// Search over 100,000 chunks: exact dense search against usearch and hnswlib, BM25 against bm25s, and the files of a run.
import { measureBm25Search } from "./bm25-search.js";
import { measureDenseSearch } from "./dense-search.js";
import { runBenchmark } from "./run-benchmark.js";
import { measureRunSearch } from "./run-search.js";

const rows = 100_000;

await runBenchmark({
  name: "search-throughput",
  defaultRounds: 5,
  needs: "scifact",
  measure: async (context) => {
    const findings = [
      await measureDenseSearch(context, rows),
      await measureBm25Search(context, rows),
      await measureRunSearch(context, rows),
    ];
    return { figures: findings.flatMap(({ figures }) => figures), notes: findings.flatMap(({ notes }) => notes) };
  },
});
