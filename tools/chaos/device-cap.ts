// A run on a device with a small cap: what is in use there, measured from outside, stays below it, and the vectors are those
// of the CPU. On a GPU nobody else may use it meanwhile.
import { spawn } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { parseArgs } from "node:util";
import { readNpy } from "@ragline/artifacts";
import { finishRun, startRun } from "../bench/ragline-run.js";
import { fromRoot } from "../bench/run-benchmark.js";

const { values } = parseArgs({
  options: {
    input: { type: "string", default: fromRoot("docs") },
    device: { type: "string", default: "cuda" },
    cap: { type: "string", default: "2GB" },
  },
});
const say = (line: string): void => void process.stdout.write(`${line}\n`);
const sampleMs = 50;
const mebibyte = 2 ** 20;
// fp32 on a CPU and on a GPU, of vectors of length 1.
const tolerance = 1e-5;

/** Asks nvidia-smi again and again. @returns what ends that, with the most bytes in use and how often it answered. */
function watchGpu(): () => { peakBytes: number; samples: number } {
  const smi = spawn("nvidia-smi", ["--query-gpu=memory.used", "--format=csv,noheader,nounits", "-lms", `${sampleMs}`]);
  const seen = { peakBytes: 0, samples: 0 };
  smi.on("error", () => undefined);
  createInterface({ input: smi.stdout }).on("line", (line) => {
    seen.samples++;
    seen.peakBytes = Math.max(seen.peakBytes, Number(line) * mebibyte);
  });
  return () => {
    smi.kill();
    return seen;
  };
}

const folder = await mkdtemp(join(tmpdir(), "ragline-chaos-"));

interface Device {
  readonly device: string;
  readonly kind: string;
  readonly peak_bytes: number;
  readonly cap_bytes: number;
}

/** Runs to the end. @returns what the manifest says of the devices. */
async function run(name: string, flags: readonly string[]): Promise<readonly Device[]> {
  const outputDir = join(folder, name);
  const where = ["--input", values.input, "--collections", "docs", "--output-dir", outputDir, "--precision", "fp32"];
  await finishRun(startRun([...where, "--audit-queries", "8", ...flags]));
  const manifest = JSON.parse(await readFile(join(outputDir, "processing_summary.json"), "utf8")) as {
    performance_baseline: { devices: readonly Device[] };
  };
  const { devices } = manifest.performance_baseline;
  say(`${name}: ${devices.map(({ device, peak_bytes: peak }) => `${device}, peak ${peak} bytes`).join("; ")}`);
  return devices;
}

/** The largest difference of two numbers at the same place of two matrices of the same shape. */
async function largestDifference(path: string, other: string): Promise<number> {
  let largest = 0;
  const others = readNpy(other);
  for await (const { values: found } of readNpy(path)) {
    const next = await others.next();
    if (next.done || next.value.values.length !== found.length) return Number.NaN;
    for (const [at, value] of found.entries())
      largest = Math.max(largest, Math.abs(value - (next.value.values[at] ?? Number.NaN)));
  }
  return (await others.next()).done ? largest : Number.NaN;
}

const problems: string[] = [];
try {
  const endWatch = watchGpu();
  const devices = await run("capped", ["--device", values.device, "--device-cap", values.cap]);
  const { peakBytes, samples } = endWatch();
  say(`nvidia-smi answered ${samples} times: at most ${peakBytes} bytes in use`);
  for (const { device, kind, peak_bytes: peak, cap_bytes: cap } of devices) {
    if (!values.device.startsWith(kind)) problems.push(`${device} computed: there is no ${values.device} here`);
    if (Math.max(peak, peakBytes) > cap) problems.push(`more than ${cap} bytes of ${device} were in use`);
  }
  await run("cpu", ["--device", "cpu"]);
  for (const name of ["docs_embeddings.npy", "docs_all-miniLM-l6_embeddings.npy"]) {
    const difference = await largestDifference(join(folder, "capped", name), join(folder, "cpu", name));
    say(`${name}: at most ${difference} from the CPU's`);
    if (!(difference < tolerance)) problems.push(`${name} is ${difference} from the CPU's`);
  }
} finally {
  await rm(folder, { recursive: true, force: true });
}
say(problems.length === 0 ? "the cap was kept, and the vectors are the CPU's" : problems.join("\n"));
if (problems.length > 0) process.exitCode = 1;
