// Two runs at once against one lease broker whose device fits one model at a time: both have to end well with the same
// bytes as alone, and at no moment may the device have more than one lease or more bytes than its cap.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { finishRun, startRun } from "../bench/ragline-run.js";
import { fromRoot } from "../bench/run-benchmark.js";
import { BrokerProcess } from "./broker-process.js";
import { dataFileHashes, differingFiles } from "./data-file-hashes.js";

const { values } = parseArgs({
  options: {
    input: { type: "string", default: fromRoot("docs") },
    device: { type: "string", default: "cpu" },
    cap: { type: "string", default: "1500MB" },
  },
});
const say = (line: string): void => void process.stdout.write(`${line}\n`);
const sampleMs = 10;

const folder = await mkdtemp(join(tmpdir(), "ragline-chaos-"));
const broker = await BrokerProcess.start(["--device", values.device, "--device-cap", values.cap]);
const run = async (name: string) => {
  const outputDir = join(folder, name);
  const where = ["--input", values.input, "--collections", "docs", "--output-dir", outputDir];
  await finishRun(startRun([...where, "--lease-broker", broker.address]));
  return dataFileHashes(outputDir);
};
const problems = new Set<string>();
const seen = { samples: 0, waiting: 0, peakBytes: 0n, tokens: new Set<bigint>() };

/** Looks at the broker until it is told to stop. */
async function watch(signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    for (const { name, capBytes, grantedBytes, usedBytes, waiting, leases } of await broker.devices()) {
      if (leases.length > 1) problems.add(`${name} had ${leases.length} leases at once`);
      if (grantedBytes > capBytes) problems.add(`${name} had granted ${grantedBytes} of ${capBytes} bytes`);
      if (usedBytes > capBytes) problems.add(`${name} had ${usedBytes} of ${capBytes} bytes in use`);
      if (usedBytes > seen.peakBytes) seen.peakBytes = usedBytes;
      if (waiting > 0) seen.waiting++;
      for (const { fencingToken } of leases) seen.tokens.add(fencingToken);
    }
    seen.samples++;
    await sleep(sampleMs);
  }
}

try {
  const alone = await run("alone");
  const stop = new AbortController();
  const watching = watch(stop.signal);
  const both = await Promise.all([run("one"), run("other")]);
  stop.abort();
  await watching;
  for (const found of both) for (const name of differingFiles(found, alone)) problems.add(`${name} differs`);
  const left = await broker.leftLeases(10_000);
  if (left.length > 0) problems.add(`${left.length} leases are left`);
  if (seen.waiting === 0) problems.add("nobody ever waited, so nothing was shown");
} finally {
  await broker.kill();
  await rm(folder, { recursive: true, force: true });
}
const peak = `${(Number(seen.peakBytes) / 1e6).toFixed(0)} MB in use at most of ${values.cap}`;
say(`${seen.samples} samples, in ${seen.waiting} of them somebody waited; ${seen.tokens.size} leases, ${peak}`);
say(problems.size === 0 ? "both runs: same bytes as alone, one lease at a time" : [...problems].join("\n"));
if (problems.size > 0) process.exitCode = 1;
