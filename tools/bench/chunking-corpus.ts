// Whether the memory of `ragline chunk` depends on how much there is to chunk, and how fast it is over a whole directory.
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { hasProcessUsage, peakResidentBytes, processorSeconds } from "@ragline/processes";
import { writeMarkdown } from "./markdown-corpus.js";
import { startRagline } from "./ragline-run.js";
import type { Figure } from "./report.js";
import { runBenchmark } from "./run-benchmark.js";
import { ratioOf, spreadOf } from "./statistics.js";

const seed = 3;
const sampleMs = 50;
const mebibyte = 2 ** 20;

interface Measured {
  readonly peakMebibytes: number;
  readonly megabytesPerCpuSecond: number;
  readonly megabytesPerSecond: number;
}

/** Chunks a directory by the command line. */
async function chunk(input: string, outputDir: string, bytes: number): Promise<Measured> {
  const run = startRagline("chunk", ["--input", input, "--output-dir", outputDir]);
  const { pid } = run.child;
  if (pid === undefined) throw new Error("ragline chunk could not be started");
  let peak = 0;
  let cpuSeconds = 0;
  const timer = setInterval(() => {
    peak = Math.max(peak, peakResidentBytes(pid));
    cpuSeconds = Math.max(cpuSeconds, processorSeconds(pid));
  }, sampleMs);
  const { code, lastLines, seconds } = await run.ended;
  clearInterval(timer);
  if (code !== 0) throw new Error(`ragline chunk ended with code ${code}; it said last:\n${lastLines.join("\n")}`);
  const megabytes = bytes / 1e6;
  return {
    peakMebibytes: peak / mebibyte,
    megabytesPerCpuSecond: megabytes / cpuSeconds,
    megabytesPerSecond: megabytes / seconds,
  };
}

await runBenchmark({
  name: "chunking-corpus",
  defaultRounds: 1,
  measure: async ({ rounds, limit, whole, folder, say }) => {
    if (!hasProcessUsage()) return { figures: [], notes: ["skipped: this system does not tell peak memory"] };
    const sizes = [10, 100, ...(whole ? [1000] : [])].filter((megabytes) => megabytes <= (limit ?? Infinity));
    const found = new Map<number, Measured[]>(sizes.map((megabytes) => [megabytes, []]));
    for (const megabytes of sizes) {
      const input = join(folder, `${megabytes}`);
      const bytes = await writeMarkdown(input, megabytes * 1e6, seed);
      for (let round = 0; round < rounds; round++) {
        say(`round ${round + 1} of ${rounds}: ${megabytes} MB`);
        const output = join(folder, "out");
        found.get(megabytes)?.push(await chunk(input, output, bytes));
        await rm(output, { recursive: true });
      }
      await rm(input, { recursive: true });
    }
    const peaksOf = (megabytes: number): number[] => (found.get(megabytes) ?? []).map((each) => each.peakMebibytes);
    const [least = 0] = sizes;
    return {
      figures: [...found].flatMap(([megabytes, all]): Figure[] => [
        { name: `peak memory, ${megabytes} MB`, unit: "MiB", ...spreadOf(peaksOf(megabytes)) },
        {
          name: `speed, ${megabytes} MB`,
          unit: "MB/CPU-s",
          ...spreadOf(all.map((each) => each.megabytesPerCpuSecond)),
        },
        { name: `speed, ${megabytes} MB`, unit: "MB/s", ...spreadOf(all.map((each) => each.megabytesPerSecond)) },
        ...(megabytes === least
          ? []
          : [
              {
                name: `peak memory, ${megabytes} MB / ${least} MB`,
                unit: "",
                ...ratioOf(peaksOf(megabytes), peaksOf(least)),
              },
            ]),
      ]),
      notes: [
        "Markdown files of half a megabyte each; `ragline chunk` with all of its threads, from its start to its end, chunk files and ledger included.",
        ...(whole ? [] : ["1,000 MB are measured with --whole."]),
      ],
    };
  },
});
