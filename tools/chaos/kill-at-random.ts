// Runs the pipeline again and again while a lease broker, a stage service or a worker process is killed at a random moment:
// every run has to end well, with the same bytes as one that nobody disturbed, and no lease may be left.
import type { ChildProcess } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { childrenOf, descendantsOf } from "@ragline/processes";
import { finishRun, startRun } from "../bench/ragline-run.js";
import { randomNumbers } from "../bench/random-numbers.js";
import { fromRoot } from "../bench/run-benchmark.js";
import { BrokerProcess } from "./broker-process.js";
import { dataFileHashes, differingFiles } from "./data-file-hashes.js";

const victims = ["broker", "service", "worker"] as const;
type Victim = (typeof victims)[number];

const { values } = parseArgs({
  options: {
    runs: { type: "string", default: "50" },
    seed: { type: "string", default: "1" },
    input: { type: "string", default: fromRoot("docs/decisions") },
  },
});
const runs = Number(values.runs);
const random = randomNumbers(Number(values.seed));
const say = (line: string): void => void process.stdout.write(`${line}\n`);
// A broker that is back within this is waited for; stages wait longer than that.
const brokerAwayMs = 2000;
const leaseTimeoutMs = 15_000;
const pollMs = 20;

/** The processes of a run that may be killed: services that hold leases, and workers that compute under them. */
function living(victim: Victim, runPid: number): number[] {
  const isVictim = victim === "worker" ? /worker-main\.js/ : /services\/(dense|sparse|rerank)\/dist\/main\.js/;
  const among = victim === "worker" ? descendantsOf(runPid) : childrenOf(runPid);
  return among.filter(({ command }) => isVictim.test(command)).map(({ pid }) => pid);
}

/** Kills a victim when its moment has come, or as soon as there is one. @returns whether there was one. */
async function killOnce(victim: Victim, afterMs: number, run: ChildProcess, broker: BrokerProcess): Promise<boolean> {
  await sleep(afterMs);
  if (victim === "broker") {
    await broker.kill();
    await sleep(random() * brokerAwayMs);
    await broker.restart();
    return true;
  }
  while (run.exitCode === null) {
    const pids = living(victim, run.pid ?? 0);
    const pid = pids[Math.floor(random() * pids.length)];
    if (pid !== undefined && kill(pid)) return true;
    await sleep(pollMs);
  }
  return false;
}

/** @returns whether the process was still there. */
function kill(pid: number): boolean {
  try {
    return process.kill(pid, "SIGKILL");
  } catch {
    return false;
  }
}

const folder = await mkdtemp(join(tmpdir(), "ragline-chaos-"));
const broker = await BrokerProcess.start(["--device", "cpu"]);
const start = (name: string) => {
  const outputDir = join(folder, name);
  const where = ["--input", values.input, "--collections", "docs", "--output-dir", outputDir];
  // Every stage has work, and none so much that most moments fall into it.
  const load = ["--audit-queries", "16", "--rerank-candidates", "5", "--workers", "2"];
  return { outputDir, run: startRun([...where, ...load, "--lease-broker", broker.address]) };
};
const failures: string[] = [];
const killed = { broker: 0, service: 0, worker: 0 };
try {
  const reference = start("reference");
  const { wallSeconds } = await finishRun(reference.run);
  const expected = await dataFileHashes(reference.outputDir);
  say(`undisturbed: ${Object.keys(expected).length} data files in ${wallSeconds.toFixed(1)} s`);
  for (let i = 0; i < runs; i++) {
    const victim = victims[i % victims.length] ?? "worker";
    const afterMs = random() * wallSeconds * 1000;
    const { run, outputDir } = start(`run-${i}`);
    const killing = killOnce(victim, afterMs, run.child, broker);
    const problems: string[] = [];
    const { code, lastLines } = await run.ended;
    const hit = await killing;
    if (hit) killed[victim]++;
    if (code !== 0) problems.push(`exit code ${code}: ${lastLines.slice(-3).join(" / ")}`);
    else problems.push(...differingFiles(await dataFileHashes(outputDir), expected).map((name) => `${name} differs`));
    const left = await broker.leftLeases(leaseTimeoutMs);
    if (left.length > 0) problems.push(`${left.length} leases are left`);
    await rm(outputDir, { recursive: true, force: true });
    const what = hit ? `${victim} killed` : `${victim} was not there`;
    say(
      `run ${i + 1}: ${what} after ${(afterMs / 1000).toFixed(1)} s: ${problems.join("; ") || "same bytes, no lease left"}`,
    );
    failures.push(...problems);
  }
} finally {
  await broker.kill();
  await rm(folder, { recursive: true, force: true });
}
const kills = victims.map((victim) => `${killed[victim]} times the ${victim}`).join(", ");
say(`${runs} runs, seed ${values.seed}; killed ${kills}; ${failures.length} problems`);
if (failures.length > 0) process.exitCode = 1;
