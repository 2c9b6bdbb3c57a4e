// What several devices under one broker do to the dense stage: simulated ones, whose calls take time in proportion to their tokens.
import { join } from "node:path";
import { hasProcessUsage, processorSeconds } from "@ragline/processes";
import { writeChunks } from "./corpus.js";
import { finishRun, startRun } from "./ragline-run.js";
import { runBenchmark } from "./run-benchmark.js";
import { shortChunks } from "./short-chunks.js";
import { ratioOf, spreadOf } from "./statistics.js";

const deviceCounts = [1, 4, 8] as const;
const aims: Readonly<Record<number, number>> = { 4: 0.9 * 4, 8: 0.85 * 8 };
const chunksPerDevice = 400;
// So slow that the real computing behind it hardly counts, even of eight devices on two cores.
const microsecondsPerToken = 3000;
const seed = 5;
const model = "all-miniLM-l6";

/** The dense stage over `devices` simulated devices: its texts per second, and the cores that the orchestrator used meanwhile. */
async function measureOnce(devices: number, chunkedDir: string, outputDir: string) {
  const simulated = `simulated:${devices}x12GB:us-per-token=${microsecondsPerToken}`;
  const off = ["--disable-sparse", "--disable-rerank", "--audit-queries", "0", "--faiss-index", "none"];
  const inputs = ["--chunked-dir", chunkedDir, "--output-dir", outputDir, "--ensemble-models", model];
  let began: { at: number; processor: number } | undefined;
  let cores = 0;
  const run = startRun([...inputs, ...off, "--device", simulated], (line) => {
    const pid = run.child.pid ?? 0;
    if (/^dense .* started/.test(line)) began = { at: performance.now(), processor: processorSeconds(pid) };
    if (began && /^dense .* in /.test(line))
      cores = (processorSeconds(pid) - began.processor) / ((performance.now() - began.at) / 1000);
  });
  const { summary } = await finishRun(run);
  const dense = summary.collections.flatMap(({ stages }) => stages).find(({ stage }) => stage === "dense");
  if (dense?.items !== devices * chunksPerDevice) throw new Error("the dense stage did not compute every chunk");
  return { rate: dense.items / dense.seconds, cores };
}

await runBenchmark({
  name: "device-scaling",
  defaultRounds: 3,
  measure: async ({ rounds, folder, say }) => {
    for (const devices of deviceCounts)
      await writeChunks(join(folder, `${devices}`), "short", [...shortChunks(devices * chunksPerDevice, seed)]);
    const rates = deviceCounts.map(() => [] as number[]);
    const cores = deviceCounts.map(() => [] as number[]);
    for (let round = 0; round < rounds; round++) {
      for (const [i, devices] of deviceCounts.entries()) {
        say(`round ${round + 1} of ${rounds}: ${devices} devices`);
        const found = await measureOnce(devices, join(folder, `${devices}`), join(folder, "out"));
        rates[i]?.push(found.rate);
        cores[i]?.push(found.cores);
      }
    }
    const [one = [], ...others] = rates;
    return {
      figures: [
        ...deviceCounts.map((devices, i) => ({
          name: `${devices} devices`,
          unit: "texts/s",
          ...spreadOf(rates[i] ?? []),
        })),
        ...others.map((many, i) => {
          const devices = deviceCounts[i + 1] ?? 0;
          return {
            name: `${devices} devices / one`,
            unit: "",
            ...ratioOf(many, one),
            aim: { atLeast: aims[devices] ?? 0 },
          };
        }),
        ...(hasProcessUsage()
          ? deviceCounts.map((devices, i) => ({
              name: `orchestrator, ${devices} devices`,
              unit: "cores",
              ...spreadOf(cores[i] ?? []),
              aim: { atMost: 1 },
            }))
          : []),
      ],
      notes: [
        `${chunksPerDevice} short chunks for each device, so that all take as long; ${microsecondsPerToken} microseconds for each padded token of ${model}`,
        "the stage's time includes opening the workers of every device but the first",
      ],
    };
  },
});
