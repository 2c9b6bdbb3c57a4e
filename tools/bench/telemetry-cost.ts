// What traces, metrics and logs cost a run: everything on against everything off.
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { descendantsOf, hasProcessUsage, peakResidentBytes, processorSeconds } from "@ragline/processes";
import { doclingChunks, readDoclingChunks, writeChunks } from "./corpus.js";
import { finishRun, startRun } from "./ragline-run.js";
import type { Figure } from "./report.js";
import { runBenchmark } from "./run-benchmark.js";
import { ratioOf, spreadOf } from "./statistics.js";

const chunkCount = 200;
const sampleMs = 100;
const mebibyte = 2 ** 20;

/** What one run took. */
interface Cost {
  /** Texts a second of the dense stage, as its service tells. */
  readonly textsPerSecond: number;
  readonly wallSeconds: number;
  /** Of all processes together, as last seen. */
  readonly cpuSeconds: number;
  /** Peak memory of each process by name, in MiB. */
  readonly peaks: ReadonlyMap<string, number>;
}

function nameOf(command: string): string | undefined {
  if (command.includes("worker-main.js")) return "worker";
  const service = /services\/([a-z]+)\/dist\/main\.js/.exec(command)?.[1];
  return service === undefined ? undefined : `${service} service`;
}

async function measureRun(chunkedDir: string, outputDir: string, flags: readonly string[]): Promise<Cost> {
  const peaks = new Map<string, number>();
  const cpu = new Map<number, number>();
  const fixed = ["--ensemble-models", "all-miniLM-l6", "--disable-sparse", "--disable-rerank", "--audit-queries", "0"];
  const run = startRun(["--chunked-dir", chunkedDir, "--output-dir", outputDir, ...fixed, ...flags]);
  const { pid } = run.child;
  if (pid === undefined) throw new Error("ragline run could not be started");
  const note = (name: string, process: number): void => {
    peaks.set(name, Math.max(peaks.get(name) ?? 0, peakResidentBytes(process) / mebibyte));
    cpu.set(process, Math.max(cpu.get(process) ?? 0, processorSeconds(process)));
  };
  const timer = setInterval(() => {
    note("orchestrator (ragline run)", pid);
    for (const child of descendantsOf(pid)) {
      const name = nameOf(child.command);
      if (name !== undefined) note(name, child.pid);
    }
  }, sampleMs);
  try {
    const { summary, wallSeconds } = await finishRun(run);
    const dense = summary.collections[0]?.stages.find(({ stage }) => stage === "dense");
    const cpuSeconds = [...cpu.values()].reduce((sum, seconds) => sum + seconds, 0);
    return { textsPerSecond: (dense?.items ?? 0) / (dense?.seconds ?? Number.NaN), wallSeconds, cpuSeconds, peaks };
  } finally {
    clearInterval(timer);
  }
}

/** A collector that takes everything and keeps nothing. */
async function startSink(): Promise<{ url: string; close: () => void }> {
  const server = createServer((request, response) => {
    request.resume().once("end", () => response.writeHead(200).end());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { url, close: () => server.close().closeAllConnections() };
}

await runBenchmark({
  name: "telemetry-cost",
  defaultRounds: 3,
  needs: doclingChunks,
  measure: async ({ rounds, limit, dataDir, folder, say }) => {
    if (!hasProcessUsage()) return { figures: [], notes: ["skipped: this system has no /proc that tells peak memory"] };
    await writeChunks(join(folder, "chunks"), "0", await readDoclingChunks(dataDir, limit ?? chunkCount));
    const sink = await startSink();
    process.env["OTEL_EXPORTER_OTLP_PROTOCOL"] = "http/protobuf";
    const files = ["--trace-file", join(folder, "run.trace.json"), "--metrics-file", join(folder, "run.prom")];
    const sides = {
      off: ["--no-metrics-enabled", "--log-level", "silent"],
      on: [...files, "--otlp-endpoint", sink.url, "--log-level", "info"],
    };
    const costs: Record<keyof typeof sides, Cost[]> = { off: [], on: [] };
    // Not counted: it measures the model's memory, once for each user.
    await measureRun(join(folder, "chunks"), join(folder, "out"), sides.off);
    for (let round = 0; round < rounds; round++) {
      // In turns, so that none is always the one that finds the caches warm.
      for (const side of round % 2 === 0 ? (["off", "on"] as const) : (["on", "off"] as const)) {
        say(`round ${round + 1} of ${rounds}: telemetry ${side}`);
        costs[side].push(await measureRun(join(folder, "chunks"), join(folder, "out"), sides[side]));
      }
    }
    sink.close();
    const both = (of: (cost: Cost) => number): [number[], number[]] => [costs.on.map(of), costs.off.map(of)];
    const figure = (name: string, unit: string, of: (cost: Cost) => number): Figure[] => {
      const [on, off] = both(of);
      return [
        { name: `${name}, on`, unit, ...spreadOf(on) },
        { name: `${name}, off`, unit, ...spreadOf(off) },
        { name: `${name}, on / off`, unit: "", ...ratioOf(on, off) },
      ];
    };
    const names = [...(costs.off[0]?.peaks.keys() ?? [])];
    return {
      figures: [
        ...figure("dense stage", "texts/s", ({ textsPerSecond }) => textsPerSecond),
        ...figure("processor time of all processes", "s", ({ cpuSeconds }) => cpuSeconds),
        ...figure("whole run", "s", ({ wallSeconds }) => wallSeconds),
        ...names.map((name): Figure => {
          const [on, off] = both(({ peaks }) => peaks.get(name) ?? 0);
          const more = on.map((value, i) => value - (off[i] ?? 0));
          return { name: `peak memory of ${name}, on - off`, unit: "MiB", ...spreadOf(more) };
        }),
      ],
      notes: [
        "on: trace file, spans to a collector over HTTP, metrics and their file, logs at level info; off: none of them",
        "aim: 0.98 of the throughput, and less than 30 MiB more for each process",
      ],
    };
  },
});
