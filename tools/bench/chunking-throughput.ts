// What reading and chunking Markdown costs on one core, against the text splitters of LangChain and Chonkie.
import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { type ContestantName, contestants, maxTokens } from "./chunking-contestants.js";
import type { ChunkingMessage, ChunkingTimes } from "./chunking-worker.js";
import { ForkedWorker } from "./forked-worker.js";
import type { Figure } from "./report.js";
import { runBenchmark } from "./run-benchmark.js";
import { ratioOf, spreadOf } from "./statistics.js";

/** Times a contestant in a new process. */
async function time(contestant: ContestantName, paths: readonly string[]): Promise<ChunkingTimes | undefined> {
  const worker = new ForkedWorker<ChunkingMessage, ChunkingTimes | undefined>("chunking-worker");
  try {
    return await worker.request({ contestant, paths });
  } finally {
    worker.close();
  }
}

await runBenchmark({
  name: "chunking-throughput",
  defaultRounds: 3,
  needs: "docling/raw",
  measure: async ({ rounds, limit, dataDir, say }) => {
    const folder = join(dataDir, "docling", "raw");
    const names = readdirSync(folder)
      .sort()
      .slice(0, limit ?? undefined);
    const paths = names.map((name) => join(folder, name));
    const megabytes = paths.reduce((sum, path) => sum + statSync(path).size, 0) / 1e6;
    const found = new Map<ContestantName, ChunkingTimes[]>();
    for (let round = 0; round < rounds; round++) {
      for (const name of contestants) {
        const times = await time(name, paths);
        if (times === undefined) continue;
        found.set(name, [...(found.get(name) ?? []), times]);
        say(`round ${round + 1} of ${rounds}: ${name} ${(megabytes / times.seconds).toFixed(2)} MB/CPU-s`);
      }
    }
    const speedsOf = (name: ContestantName): number[] =>
      (found.get(name) ?? []).map(({ seconds }) => megabytes / seconds);
    const firstOf = (name: ContestantName): number[] =>
      (found.get(name) ?? []).map(({ firstSeconds }) => megabytes / firstSeconds);
    const peers = contestants.filter((name) => name !== "ragline" && found.has(name));
    const own: Figure[] = [...found.keys()].flatMap((name) => [
      { name, unit: "MB/CPU-s", ...spreadOf(speedsOf(name)) },
      { name: `${name}, first pass`, unit: "MB/CPU-s", ...spreadOf(firstOf(name)) },
    ]);
    const ratios = peers.flatMap((name): Figure[] => [
      { name: `ragline / ${name}`, unit: "", ...ratioOf(speedsOf("ragline"), speedsOf(name)), aim: { atLeast: 1 } },
      { name: `ragline / ${name}, first pass`, unit: "", ...ratioOf(firstOf("ragline"), firstOf(name)) },
    ]);
    const missing = contestants.filter((name) => !found.has(name));
    return {
      figures: [...own, ...ratios],
      notes: [
        `Budget ${maxTokens} tokens of bge-small-en-v1.5, ${names.length} Markdown documents, ${megabytes.toFixed(2)} MB, one thread; Ragline's time includes parsing, metadata and the ledger.`,
        "Each has a new process in each round: a first pass, passes to warm up for 3 s, then passes for 3 s of which the mean counts.",
        ...[...found].map(
          ([name, [times]]) => `${name}: ${times?.chunks} chunks, the longest of ${times?.mostTokens} tokens.`,
        ),
        ...missing.map(
          (name) => `${name} was not there: install it in a folder of its own and name that folder in RAGLINE_PEERS.`,
        ),
      ],
    };
  },
});
