import { spawn } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { childrenOf } from "@ragline/processes";
import { spawnService } from "@ragline/service-kit";
import type { TraceSpan } from "@ragline/telemetry";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type OtlpReceiver, startOtlpReceiver } from "./otlp-receiver.fixture.js";
import { directoryOf, runHere } from "./run-fixture.js";
import { stageEntry } from "./stages/stage-entry.js";
import { expectWhole, readTraceFile } from "./trace-file.fixture.js";

type Directory = Awaited<ReturnType<typeof directoryOf>>;

let input: Directory;
let output: Directory;
let queries: Directory;
const bin = fileURLToPath(new URL("../bin/ragline.mjs", import.meta.url));

/** Enough sections that something can happen in the middle. */
const manySections = Array.from(
  { length: 160 },
  (_, i) =>
    `## Section ${i}\n\nParagraph number ${i} tells that ${"a lease is held by its stream and ".repeat(6)}ends.\n`,
).join("\n");

beforeAll(async () => {
  input = await directoryOf({ "long.md": `# A long document\n\n${manySections}` });
  queries = await directoryOf({ "queries.txt": "what holds a lease\n" });
  output = await directoryOf({});
});
afterAll(() => Promise.all([input.remove(), output.remove(), queries.remove()]));

const settings = (name: string) => ({
  input: [input.path],
  collections: ["docs"],
  outputDir: join(output.path, name),
  ensembleModels: ["all-miniLM-l6"],
  enableSparse: false,
  enableRerank: false,
  auditQueries: 0,
  traceFile: join(output.path, `${name}.json`),
});

const eventsOf = (spans: readonly TraceSpan[]): string[] =>
  spans.flatMap(({ events }) => events.map(({ name }) => name));

test.skipIf(process.platform !== "linux")(
  "a worker that is killed is an event, and its successor is in the trace",
  async () => {
    let killed = false;
    await runHere(settings("killed-worker"), {
      onEvent: (event, stages) => {
        if (killed || event.case !== "stageProgress") return;
        killed = true;
        void stages.pids().then(({ dense = 0 }) => process.kill(childrenOf(dense)[0]?.pid ?? 0, "SIGKILL"));
      },
    });
    const spans = await readTraceFile(settings("killed-worker").traceFile);
    expectWhole(spans, "rag.run");
    expect(eventsOf(spans)).toContain("rag.worker.lost");
    expect(new Set(spans.filter(({ name }) => name === "rag.dense.worker").map(({ pid }) => pid)).size).toBe(2);
  },
);

test("when one of two replicas is killed the trace tells of the loss and of who did the work", async () => {
  const start = () =>
    spawnService({ entry: stageEntry("dense"), name: "dense", args: ["--workers", "1", "--log-level", "error"] });
  const [victim, survivor] = await Promise.all([start(), start()]);
  let killed = false;
  await runHere(
    { ...settings("replica"), endpoints: [`dense=${victim.address}`, `dense=${survivor.address}`] },
    {
      onEvent: (event) => {
        if (killed || event.case !== "stageProgress") return;
        killed = true;
        process.kill(victim.pid, "SIGKILL");
      },
    },
  );
  await survivor.stop();
  const spans = await readTraceFile(settings("replica").traceFile);
  expectWhole(spans, "rag.run");
  const calls = spans.filter(
    ({ name, service }) => name === "ragline.v1.DenseService/Embed" && service === "ragline-cli",
  );
  const [port] = victim.address.split(":").slice(-1);
  expect(calls.some(({ isError, attributes }) => isError && String(attributes["server.port"]) === port)).toBe(true);
  expect(eventsOf(spans)).toContain("rag.note");
  expect(spans.filter(({ service }) => service === "ragline-dense").map(({ pid }) => pid)).toContain(survivor.pid);
});

test("a run that is stopped leaves its trace, with what had been done", async () => {
  const stop = new AbortController();
  const run = runHere(settings("stopped"), {
    signal: stop.signal,
    onEvent: ({ case: kind }) => {
      if (kind === "stageProgress") stop.abort(new Error("stopped by the test"));
    },
  });
  await expect(run).rejects.toThrow("stopped by the test");
  const spans = await readTraceFile(settings("stopped").traceFile);
  expectWhole(spans, "rag.run");
  const [dense] = spans.filter(({ name }) => name === "rag.dense");
  expect(dense?.isError).toBe(true);
  expect(
    spans.some(({ name, service }) => name === "ragline.v1.DenseService/Embed" && service === "ragline-dense"),
  ).toBe(true);
  expect(eventsOf(spans)).toContain("rag.lease.released");
});

/** Runs the command line, which sends its spans to a collector. */
async function ragline(receiver: Pick<OtlpReceiver, "url">, name: string, args: readonly string[]) {
  const { outputDir } = settings(name);
  const flags = ["run", "--input", input.path, "--collections", "docs", "--output-dir", outputDir, "--workers", "1"];
  const plain = [
    "--ensemble-models",
    "all-miniLM-l6",
    "--disable-sparse",
    "--queries",
    join(queries.path, "queries.txt"),
  ];
  const env = { ...process.env, OTEL_EXPORTER_OTLP_PROTOCOL: "http/json" };
  const child = spawn(process.execPath, [bin, ...flags, ...plain, "--otlp-endpoint", receiver.url, ...args], { env });
  let said = "";
  child.stdout.on("data", (text) => (said += String(text)));
  child.stderr.on("data", (text) => (said += String(text)));
  const code = await new Promise<number | null>((resolve) => child.once("close", resolve));
  return { code, said };
}

test("a collector gets one whole trace of all processes, also when a stage fails", async () => {
  const receiver = await startOtlpReceiver();
  const { code } = await ragline(receiver, "otlp", ["--endpoints", "rerank=127.0.0.1:1"]);
  receiver.close();
  expect(code).toBe(0);
  expectWhole(receiver.spans, "rag.run");
  for (const service of ["ragline-cli", "ragline-dense", "ragline-dense-worker", "ragline-export"])
    expect(receiver.spans.some((span) => span.service === service)).toBe(true);
  const [rerank] = receiver.spans.filter(({ name }) => name === "rag.rerank");
  expect(rerank?.events.find(({ name }) => name === "rag.fallback")?.attributes).toMatchObject({
    "rag.stage": "rerank",
    "rag.reason": "executor_unavailable",
  });
});

test("a collector that is not there costs a warning, and the run is done", async () => {
  const { code, said } = await ragline({ url: "http://127.0.0.1:1" }, "no-collector", ["--disable-rerank"]);
  expect(code).toBe(0);
  expect(said.match(/the collector at http:\/\/127\.0\.0\.1:1 \(http\/json\) takes no spans/g)?.length).toBeGreaterThan(
    0,
  );
});
