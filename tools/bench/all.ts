// Runs all benchmarks, one after the other; with --json, prints one report a line.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { fromRoot } from "./run-benchmark.js";

const names = [
  "dense-throughput",
  "worker-layout",
  "sparse-throughput",
  "rerank-throughput",
  "cold-start",
  "memory-flat",
  "export-throughput",
  "device-scaling",
  "replica-scaling",
  "search-throughput",
  "evaluation-throughput",
  "telemetry-cost",
  "chunking-throughput",
  "chunking-corpus",
];

for (const name of names) {
  const script = fromRoot(`tools/dist/bench/${name}.js`);
  const child = spawn(process.execPath, [script, ...process.argv.slice(2)], { stdio: "inherit" });
  const [code] = (await once(child, "exit")) as [number | null];
  if (code !== 0) process.exitCode = code ?? 1;
  if (code === 2 || code === null) break;
}
