// Whether the memory of the processes that pass data on depends on how much data there is.
import { join } from "node:path";
import { childrenOf, hasProcessUsage, peakResidentBytes } from "@ragline/processes";
import { writeChunks } from "./corpus.js";
import { finishRun, startRun } from "./ragline-run.js";
import type { Figure } from "./report.js";
import { runBenchmark } from "./run-benchmark.js";
import { shortChunks } from "./short-chunks.js";
import { ratioOf, spreadOf } from "./statistics.js";

const fewChunks = 1000;
const growth = 20;
const chunksPerFile = 1000;
const seed = 3;
const sampleMs = 100;
const mebibyte = 2 ** 20;

type Peaks = Map<string, number>;

/** The name of a service by the command that started it. */
function serviceOf(command: string): string | undefined {
  return /services\/([a-z]+)\/dist\/main\.js/.exec(command)?.[1];
}

/** Runs the pipeline over a folder of chunk files, its self-audit included. @returns the peak of each process by name. */
async function watchRun(chunkedDir: string, outputDir: string): Promise<{ peaks: Peaks; seconds: number }> {
  const peaks: Peaks = new Map();
  // The smallest model: what passes through the processes is the same with any.
  const models = ["--ensemble-models", "all-miniLM-l6"];
  const run = startRun(["--chunked-dir", chunkedDir, "--output-dir", outputDir, ...models]);
  const { pid } = run.child;
  if (pid === undefined) throw new Error("ragline run could not be started");
  const note = (name: string, process: number): void => {
    peaks.set(name, Math.max(peaks.get(name) ?? 0, peakResidentBytes(process)));
  };
  const timer = setInterval(() => {
    note("orchestrator (ragline run)", pid);
    for (const child of childrenOf(pid)) {
      const service = serviceOf(child.command);
      if (service !== undefined) note(`${service} service`, child.pid);
    }
  }, sampleMs);
  try {
    const { wallSeconds } = await finishRun(run);
    return { peaks, seconds: wallSeconds };
  } finally {
    clearInterval(timer);
  }
}

await runBenchmark({
  name: "memory-flat",
  defaultRounds: 1,
  measure: async ({ rounds, limit, folder, say }) => {
    if (!hasProcessUsage()) return { figures: [], notes: ["skipped: this system has no /proc that tells peak memory"] };
    const few = limit ?? fewChunks;
    const sizes = [few, growth * few];
    for (const size of sizes) {
      let file: Parameters<typeof writeChunks>[2][number][] = [];
      let files = 0;
      for (const record of shortChunks(size, seed)) {
        file.push(record);
        if (file.length < chunksPerFile) continue;
        await writeChunks(join(folder, `${size}`), `${files++}`, file);
        file = [];
      }
      if (file.length > 0) await writeChunks(join(folder, `${size}`), `${files}`, file);
    }
    const peaks = new Map<string, { few: number[]; many: number[] }>();
    const durations: number[] = [];
    for (let round = 0; round < rounds; round++) {
      for (const size of sizes) {
        say(`round ${round + 1} of ${rounds}: ${size} chunks`);
        const found = await watchRun(join(folder, `${size}`), join(folder, "out", `${size}`));
        if (size !== few) durations.push(found.seconds);
        for (const [name, bytes] of found.peaks) {
          const both = peaks.get(name) ?? { few: [], many: [] };
          (size === few ? both.few : both.many).push(bytes / mebibyte);
          peaks.set(name, both);
        }
      }
    }
    const [least, most] = sizes;
    return {
      figures: [...peaks].flatMap(([name, both]): Figure[] => [
        { name: `${name}, ${least} chunks`, unit: "MiB", ...spreadOf(both.few) },
        { name: `${name}, ${most} chunks`, unit: "MiB", ...spreadOf(both.many) },
        { name: `${name}, ${most} / ${least}`, unit: "", ...ratioOf(both.many, both.few) },
      ]),
      notes: [
        "peak resident memory (VmHWM) of the processes that pass data on; worker processes that hold a model are not among them",
        `a run over ${most} chunks took ${spreadOf(durations).median.toFixed(0)} s`,
      ],
    };
  },
});
