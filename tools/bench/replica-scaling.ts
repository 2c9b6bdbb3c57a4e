// Two replicas of the dense service with one worker of one thread each, against one service with two of what they have.
import { join } from "node:path";
import { spawnService } from "@ragline/service-kit";
import { doclingChunks, readDoclingChunks, writeChunks } from "./corpus.js";
import { finishRun, startRun } from "./ragline-run.js";
import { runBenchmark } from "./run-benchmark.js";
import { serviceEntry } from "./stage-throughput.js";
import { ratioOf, spreadOf } from "./statistics.js";

const model = "all-miniLM-l6";

/** What computes: so many services, each with so many workers of so many threads. */
const layouts = [
  { name: "two replicas of one worker with one thread", services: 2, workers: 1, threads: 1 },
  { name: "one service, one worker with two threads", services: 1, workers: 1, threads: 2 },
  { name: "one service, two workers with one thread", services: 1, workers: 2, threads: 1 },
] as const;

async function measureOnce(
  { services, workers, threads }: (typeof layouts)[number],
  {
    chunkedDir,
    outputDir,
    texts,
    say,
  }: { chunkedDir: string; outputDir: string; texts: number; say: (line: string) => void },
): Promise<number> {
  const args = ["--workers", `${workers}`, "--threads-per-worker", `${threads}`, "--log-level", "warn"];
  const replicas = await Promise.all(
    Array.from({ length: services }, () =>
      spawnService({ entry: serviceEntry("dense"), name: "dense", args, onLine: say }),
    ),
  );
  try {
    const endpoints = `dense=${replicas.map(({ address }) => address).join(",")}`;
    const off = ["--disable-sparse", "--disable-rerank", "--audit-queries", "0", "--faiss-index", "none"];
    const inputs = ["--chunked-dir", chunkedDir, "--output-dir", outputDir, "--ensemble-models", model];
    const { summary } = await finishRun(startRun([...inputs, ...off, "--endpoints", endpoints]));
    const dense = summary.collections.flatMap(({ stages }) => stages).find(({ stage }) => stage === "dense");
    if (dense?.items !== texts) throw new Error("the dense stage did not compute every chunk");
    return dense.items / dense.seconds;
  } finally {
    await Promise.all(replicas.map((replica) => replica.stop()));
  }
}

await runBenchmark({
  name: "replica-scaling",
  defaultRounds: 3,
  needs: doclingChunks,
  measure: async ({ rounds, limit, dataDir, folder, say }) => {
    const records = await readDoclingChunks(dataDir, limit);
    const chunkedDir = join(folder, "chunked");
    await writeChunks(chunkedDir, "docling", records);
    const rates = layouts.map(() => [] as number[]);
    for (let round = 0; round < rounds; round++) {
      for (const [i, layout] of layouts.entries()) {
        say(`round ${round + 1} of ${rounds}: ${layout.name}`);
        const where = { chunkedDir, outputDir: join(folder, "out"), texts: records.length, say };
        rates[i]?.push(await measureOnce(layout, where));
      }
    }
    const [replicas = [], ...others] = rates;
    return {
      figures: [
        ...layouts.map(({ name }, i) => ({ name, unit: "texts/s", ...spreadOf(rates[i] ?? []) })),
        ...others.map((other, i) => ({
          name: `two replicas / ${layouts[i + 1]?.name}`,
          unit: "",
          ...ratioOf(replicas, other),
          ...(i === 0 ? { aim: { atLeast: 1 } } : {}),
        })),
      ],
      notes: [`${records.length} chunks, ${model}, the precision "auto"`],
    };
  },
});
