// A run on a simulated device that is out of memory in every second call: it has to end well, with the bytes of a run
// that has all the memory it wants.
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { finishRun, startRun } from "../bench/ragline-run.js";
import { fromRoot } from "../bench/run-benchmark.js";
import { dataFileHashes, differingFiles } from "./data-file-hashes.js";

const { values } = parseArgs({
  options: {
    input: { type: "string", default: fromRoot("docs/decisions") },
    // In fp32 texts share calls, which are halved when memory runs out; in int8 each is a call of its own.
    precision: { type: "string", default: "fp32" },
    // So little that not one text fits: what else has room in the first call of a worker alone.
    pressure: { type: "string", default: "tight=1MB:tight-every=2" },
  },
});
const say = (line: string): void => void process.stdout.write(`${line}\n`);
const folder = await mkdtemp(join(tmpdir(), "ragline-chaos-"));

interface ModelMemory {
  readonly out_of_memory: number;
}

/** What the manifest says of calls and of memory that ran out, over all models that compute on the device. */
interface Memory {
  readonly dense_run: {
    readonly batches_per_model: Readonly<Record<string, number>>;
    readonly memory: Readonly<Record<string, ModelMemory>>;
  };
  readonly sparse_run: { readonly models: readonly { readonly batches?: number; readonly memory?: ModelMemory }[] };
}

/** Runs to the end on a device. @returns the hashes of the data files, the calls that went well, and those that did not. */
async function run(name: string, device: string) {
  const outputDir = join(folder, name);
  const what = ["--input", values.input, "--collections", "docs", "--precision", values.precision];
  const where = [...what, "--output-dir", outputDir];
  // Every pair that is reranked is a call of its own, and every second call costs a worker here: a few show it as well.
  await finishRun(startRun([...where, "--device", device, "--audit-queries", "8", "--rerank-candidates", "2"]));
  const manifest = await readFile(join(outputDir, "processing_summary.json"), "utf8");
  const { dense_run: dense, sparse_run: sparse } = JSON.parse(manifest) as Memory;
  const sum = (numbers: readonly number[]) => numbers.reduce((total, each) => total + each, 0);
  const done = [...Object.values(dense.batches_per_model), ...sparse.models.map(({ batches }) => batches ?? 0)];
  const failed = [...Object.values(dense.memory), ...sparse.models.flatMap(({ memory }) => memory ?? [])];
  return {
    hashes: await dataFileHashes(outputDir),
    done: sum(done),
    failed: sum(failed.map(({ out_of_memory: count }) => count)),
  };
}

const problems: string[] = [];
try {
  const free = await run("free", "simulated:1x12GB");
  const tight = await run("tight", `simulated:1x12GB:${values.pressure}`);
  say(`without pressure: ${free.done} calls, memory ran out in ${free.failed}`);
  say(`under pressure: ${tight.done} calls went well, memory ran out in ${tight.failed} others`);
  if (free.failed > 0) problems.push("memory ran out without pressure");
  if (tight.failed < tight.done) problems.push("memory ran out in less than half of the calls, so little was shown");
  problems.push(...differingFiles(tight.hashes, free.hashes).map((name) => `${name} differs`));
} finally {
  await rm(folder, { recursive: true, force: true });
}
say(problems.length === 0 ? "every data file has the same bytes" : problems.join("\n"));
if (problems.length > 0) process.exitCode = 1;
