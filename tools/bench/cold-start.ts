// How long a person waits from starting `ragline run` until the first dense vectors are there, and for each service to serve.
import { readdirSync, statSync } from "node:fs";
import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { spawnService } from "@ragline/service-kit";
import { doclingChunks, readDoclingChunks, writeChunks } from "./corpus.js";
import { startRun } from "./ragline-run.js";
import { runBenchmark } from "./run-benchmark.js";
import { serviceEntry } from "./stage-throughput.js";
import { spreadOf } from "./statistics.js";

const services = ["dense", "sparse", "rerank", "export", "orchestrator"] as const;
const pollMs = 5;

/** Whether the run has spooled vectors of its first dense model: its hidden folder beside the artifacts then has them in a file. */
function hasFirstVectors(outputDir: string): boolean {
  return readdirSync(outputDir)
    .filter((name) => name.startsWith(".ragline-run-"))
    .some((name) => (statSync(join(outputDir, name, "dense-0"), { throwIfNoEntry: false })?.size ?? 0) > 0);
}

interface ColdStart {
  /** Until its header is shown: the command line is up. */
  readonly header: number;
  /** Until all chunks are read. */
  readonly chunks: number;
  /** Until the dense service serves too. */
  readonly dense: number;
  /** Until the first batch of dense vectors is there. */
  readonly firstBatch: number;
}

/** Starts a run and stops it again when its first vectors are there. */
async function startOnce(chunkedDir: string, outputDir: string): Promise<ColdStart> {
  await mkdir(outputDir, { recursive: true });
  const startedAt = performance.now();
  const since = (): number => (performance.now() - startedAt) / 1000;
  let [header, chunks, dense] = [0, 0, 0];
  const run = startRun(["--chunked-dir", chunkedDir, "--output-dir", outputDir], (line) => {
    if (header === 0) header = since();
    if (/^chunk .* in /.test(line)) chunks = since();
    if (/^dense .* started/.test(line)) dense = since();
  });
  let isOver = false;
  const ended = run.ended.finally(() => {
    isOver = true;
  });
  while (!isOver && !hasFirstVectors(outputDir)) await sleep(pollMs);
  const firstBatch = since();
  if (!isOver) run.child.kill("SIGINT");
  const { lastLines } = await ended;
  if (dense === 0) throw new Error(`the run ended before its first batch; it said last:\n${lastLines.join("\n")}`);
  await rm(outputDir, { recursive: true });
  return { header, chunks, dense, firstBatch };
}

async function startService(name: (typeof services)[number]): Promise<number> {
  const startedAt = performance.now();
  const service = await spawnService({ entry: serviceEntry(name), name, args: ["--log-level", "warn"] });
  const seconds = (performance.now() - startedAt) / 1000;
  await service.stop();
  return seconds;
}

await runBenchmark({
  name: "cold-start",
  defaultRounds: 5,
  needs: doclingChunks,
  measure: async ({ rounds, limit, dataDir, folder, say }) => {
    const records = await readDoclingChunks(dataDir, limit);
    const chunkedDir = join(folder, "chunked");
    await writeChunks(chunkedDir, "docling", records);
    const starts: ColdStart[] = [];
    const ready = services.map((name) => ({ name, seconds: [] as number[] }));
    for (let round = 0; round < rounds; round++) {
      say(`round ${round + 1} of ${rounds}`);
      starts.push(await startOnce(chunkedDir, join(folder, "out")));
      for (const { name, seconds } of ready) seconds.push(await startService(name));
    }
    const inSeconds = (name: string, values: readonly number[]) => ({ name, unit: "s", ...spreadOf(values) });
    return {
      figures: [
        inSeconds(
          "ragline run: header shown",
          starts.map(({ header }) => header),
        ),
        inSeconds(
          `ragline run: ${records.length} chunks read`,
          starts.map(({ chunks }) => chunks),
        ),
        inSeconds(
          "ragline run: dense service connected",
          starts.map(({ dense }) => dense),
        ),
        {
          ...inSeconds(
            "ragline run: first dense batch",
            starts.map(({ firstBatch }) => firstBatch),
          ),
          aim: { atMost: 3 },
        },
        ...ready.map(({ name, seconds }) => inSeconds(`${name} service: ready`, seconds)),
      ],
      notes: ["files were in the system's cache after the first round"],
    };
  },
});
