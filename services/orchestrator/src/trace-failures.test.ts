import { spawn } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { childrenOf } from "@ragline/processes";
import { type SpawnedService, spawnService } from "@ragline/service-kit";
import type { TraceSpan } from "@ragline/telemetry";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type OtlpReceiver, startOtlpReceiver } from "./otlp-receiver.fixture.js";
import { directoryOf, runHere } from "./run-fixture.js";
import { stageEntry } from "./stages/stage-entry.js";
import { expectWhole, readTraceFile } from "./trace-file.fixture.js";

type Directory = Awaited<ReturnType<typeof directoryOf>>;

let input: Directory;
let output: Directory;
/** Services of all runs: two of dense, since one is killed, and one of export. */
let dense: SpawnedService;
let victim: SpawnedService;
let exporting: SpawnedService;
const bin = fileURLToPath(new URL("../bin/ragline.mjs", import.meta.url));

/** Enough sections that something can happen in the middle. */
const manySections = Array.from(
  { length: 96 },
  (_, i) =>
    `## Section ${i}\n\nParagraph number ${i} tells that ${"a lease is held by its stream and ".repeat(6)}ends.\n`,
).join("\n");

beforeAll(async () => {
  input = await directoryOf({
    "long.md": `# A long document\n\n${manySections}`,
    "short.md": "# A short one\n\nA lease is held by its stream.\n",
    "queries.txt": "what holds a lease\n",
  });
  output = await directoryOf({});
  const start = (name: "dense" | "export", ...args: string[]) =>
    spawnService({ entry: stageEntry(name), name, args: [...args, "--log-level", "error"] });
  [dense, victim, exporting] = await Promise.all([
    start("dense", "--workers", "1"),
    start("dense", "--workers", "1"),
    start("export"),
  ]);
});
afterAll(() =>
  Promise.all([dense.stop(), victim.stop(), exporting.stop(), input.remove(), output.remove()] as Promise<unknown>[]),
);

const settings = (name: string, ...replicas: SpawnedService[]) => ({
  input: [join(input.path, "long.md")],
  collections: ["docs"],
  outputDir: join(output.path, name),
  ensembleModels: ["all-miniLM-l6"],
  enableSparse: false,
  enableRerank: false,
  auditQueries: 0,
  report: false,
  endpoints: [...replicas.map(({ address }) => `dense=${address}`), `export=${exporting.address}`],
  traceFile: join(output.path, `${name}.json`),
});

const eventsOf = (spans: readonly TraceSpan[]): string[] =>
  spans.flatMap(({ events }) => events.map(({ name }) => name));

test.skipIf(process.platform !== "linux")(
  "a worker that is killed is an event, and its successor is in the trace",
  async () => {
    const { traceFile, ...others } = settings("killed-worker", dense);
    let killed = false;
    await runHere(
      { traceFile, ...others },
      {
        onEvent: (event) => {
          if (killed || event.case !== "stageProgress") return;
          killed = true;
          process.kill(childrenOf(dense.pid)[0]?.pid ?? 0, "SIGKILL");
        },
      },
    );
    const spans = await readTraceFile(traceFile);
    expectWhole(spans, "rag.run");
    expect(eventsOf(spans)).toContain("rag.worker.lost");
    expect(new Set(spans.filter(({ name }) => name === "rag.dense.worker").map(({ pid }) => pid)).size).toBe(2);
  },
);

test("when one of two replicas is killed the trace tells of the loss and of who did the work", async () => {
  const { traceFile, ...others } = settings("replica", victim, dense);
  let killed = false;
  await runHere(
    { traceFile, ...others },
    {
      onEvent: (event) => {
        if (killed || event.case !== "stageProgress") return;
        killed = true;
        process.kill(victim.pid, "SIGKILL");
      },
    },
  );
  const spans = await readTraceFile(traceFile);
  expectWhole(spans, "rag.run");
  const calls = spans.filter(
    ({ name, service }) => name === "ragline.v1.DenseService/Embed" && service === "ragline-cli",
  );
  const [port] = victim.address.split(":").slice(-1);
  expect(calls.some(({ isError, attributes }) => isError && String(attributes["server.port"]) === port)).toBe(true);
  expect(eventsOf(spans)).toContain("rag.note");
  expect(spans.filter(({ service }) => service === "ragline-dense").map(({ pid }) => pid)).toContain(dense.pid);
});

test("a run that is stopped leaves its trace, with what had been done", async () => {
  const { traceFile, ...others } = settings("stopped", dense);
  const stop = new AbortController();
  const run = runHere(
    { traceFile, ...others },
    {
      signal: stop.signal,
      onEvent: ({ case: kind }) => {
        if (kind === "stageProgress") stop.abort(new Error("stopped by the test"));
      },
    },
  );
  await expect(run).rejects.toThrow("stopped by the test");
  const spans = await readTraceFile(traceFile);
  expectWhole(spans, "rag.run");
  const [stage] = spans.filter(({ name }) => name === "rag.dense");
  expect(stage?.isError).toBe(true);
  expect(
    spans.some(({ name, service }) => name === "ragline.v1.DenseService/Embed" && service === "ragline-dense"),
  ).toBe(true);
  expect(eventsOf(spans)).toContain("rag.lease.released");
});

/** Runs the command line over a short document; it sends its spans to a collector. */
async function ragline(receiver: Pick<OtlpReceiver, "url">, name: string, args: readonly string[]) {
  const paths = ["--input", join(input.path, "short.md"), "--output-dir", join(output.path, name)];
  const models = ["--ensemble-models", "all-miniLM-l6", "--disable-sparse", "--workers", "1"];
  const asked = ["--queries", join(input.path, "queries.txt"), "--otlp-endpoint", receiver.url];
  const env = { ...process.env, OTEL_EXPORTER_OTLP_PROTOCOL: "http/json" };
  const child = spawn(process.execPath, [bin, "run", ...paths, ...models, ...asked, "--no-report", ...args], { env });
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
