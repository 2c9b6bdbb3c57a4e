import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { Metrics, type TraceSpan } from "@ragline/telemetry";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { RunSummary } from "./core/run-summary.js";
import { startOtlpReceiver } from "./otlp-receiver.fixture.js";
import { directoryOf, documents, manifestOf, runHere } from "./run-fixture.js";
import { expectWhole, readTraceFile } from "./trace-file.fixture.js";

let out: Awaited<ReturnType<typeof directoryOf>>;
let input: Awaited<ReturnType<typeof directoryOf>>;
let spans: readonly TraceSpan[];
let exposition: string;
let pushed: { method: string | undefined; path: string | undefined; body: string };
let summary: RunSummary;
let told: string;
const lines: string[] = [];
const query = "zanzibar quokka marmalade";

const bin = fileURLToPath(new URL("../bin/ragline.mjs", import.meta.url));

/** Fails where a word of the queries or of a chunk is found. */
function expectPrivate(places: Readonly<Record<string, string>>): void {
  const phrases = [
    ...query.split(" "),
    "lease queued",
    "first come",
    "takes the memory back",
    "unit length",
    "little-endian",
  ];
  for (const [where, said] of Object.entries(places))
    for (const phrase of phrases) expect(said.includes(phrase), `${phrase} in ${where}`).toBe(false);
}

const spansNamed = (name: string, service?: string): readonly TraceSpan[] =>
  spans.filter((span) => span.name === name && (service === undefined || span.service === service));

beforeAll(async () => {
  input = await directoryOf({ ...documents, "queries.txt": `${query}\nhow is a lease queued\n` });
  out = await directoryOf({});
  const gateway = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on("data", (part: Buffer) => parts.push(part));
    request.on("end", () => {
      pushed = { method: request.method, path: request.url, body: Buffer.concat(parts).toString() };
      response.writeHead(200).end();
    });
  });
  await new Promise<void>((resolve) => gateway.listen(0, "127.0.0.1", resolve));
  const metrics = new Metrics({ service: "orchestrator" });
  await metrics.open();
  const events: unknown[] = [];
  summary = await runHere(
    {
      input: [join(input.path, "leases.md"), join(input.path, "vectors.md")],
      queries: join(input.path, "queries.txt"),
      outputDir: out.path,
      traceFile: join(out.path, "run.trace.json"),
      metricsFile: join(out.path, "metrics", "run.prom"),
      metricsPush: `http://127.0.0.1:${(gateway.address() as AddressInfo).port}`,
    },
    { metrics, onLine: (line) => lines.push(line), onEvent: (event) => events.push(event) },
  );
  told = JSON.stringify(events, (_, value: unknown) => (typeof value === "bigint" ? String(value) : value));
  gateway.close();
  spans = await readTraceFile(join(out.path, "run.trace.json"));
  exposition = await readFile(join(out.path, "metrics", "run.prom"), "utf8");
});
afterAll(() => Promise.all([out.remove(), input.remove()]));

test("the trace file has one trace over all processes, with no parent missing", () => {
  expectWhole(spans, "rag.run");
  for (const service of ["ragline-cli", "ragline-dense", "ragline-sparse", "ragline-rerank", "ragline-export"])
    expect(spans.some((span) => span.service === service)).toBe(true);
});

test.each(["chunk", "dense", "sparse", "fusion", "rerank", "export"])("rag.%s is a child of rag.run", (stage) => {
  const [root] = spansNamed("rag.run");
  expect(spansNamed(`rag.${stage}`).map(({ parentSpanId }) => parentSpanId)).toEqual([root?.spanId]);
});

test.each(["dense", "sparse", "rerank"])("each batch of %s is below the call that it came with", (stage) => {
  const batches = spansNamed(`rag.${stage}.batch`, `ragline-${stage}`);
  expect(batches.length).toBeGreaterThan(0);
  const byId = new Map(spans.map((span) => [span.spanId, span]));
  for (const batch of batches) {
    const path: string[] = [];
    for (let at = byId.get(batch.parentSpanId); at; at = byId.get(at.parentSpanId)) path.push(at.name);
    expect(path.at(-1)).toBe("rag.run");
    expect(path.at(-2)).toBe(`rag.${stage}`);
  }
});

test("the links of batches lead to the calls that brought their texts, and each worker process has its part", () => {
  const byId = new Map(spans.map((span) => [span.spanId, span]));
  const batches = spans.filter(({ name }) => name.endsWith(".batch"));
  for (const { links } of batches) {
    expect(links).toHaveLength(1);
    expect(byId.get(links[0]?.spanId ?? "")).toMatchObject({ service: "ragline-cli" });
  }
  for (const stage of ["dense", "sparse", "rerank"]) {
    const workers = spansNamed(`rag.${stage}.worker`);
    expect(workers.length).toBeGreaterThan(0);
    for (const { service, pid, parentSpanId } of workers) {
      expect(service).toBe(`ragline-${stage}-worker`);
      expect(byId.get(parentSpanId)).toMatchObject({ name: `rag.${stage}.batch`, service: `ragline-${stage}` });
      expect(pid).not.toBe(byId.get(parentSpanId)?.pid);
    }
  }
});

test("the life of a lease is told on the span of the call that it was taken for", () => {
  const [call] = spansNamed("ragline.v1.RerankService/Score", "ragline-rerank");
  const lease = call?.events.filter(({ name }) => name.startsWith("rag.lease.")).map(({ name }) => name) ?? [];
  expect(lease[0]).toBe("rag.lease.wait");
  expect(lease[1]).toBe("rag.lease.granted");
  expect(lease.at(-1)).toBe("rag.lease.released");
  expect(call?.attributes).toMatchObject({ "gen_ai.request.model": "qa-minilm-l6-cross-encoder" });
});

test("the metrics file has what every stage counted, also those of the children", () => {
  const lines = exposition.split("\n");
  for (const stage of ["chunk", "dense", "sparse", "rerank", "export"])
    expect(lines.some((line) => line.startsWith(`rag_chunks_total{stage="${stage}",outcome="ok"} `))).toBe(true);
  for (const name of ["rag_dense_latency_seconds_count", "rag_export_size_bytes_sum", "rag_gpu_peak_bytes"])
    expect(exposition).toContain(name);
  expect(lines).toContain('rag_gpu_cap_bytes{device="cpu:0"} 12000000000');
  expect(lines).toContain('rag_gpu_lease_bytes{stage="dense",device="cpu:0"} 0');
});

test("every line that a stage logs inside a call has the ids of a span of the run", () => {
  const ids = new Set(spans.map(({ spanId }) => spanId));
  const parsed = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
  const inside = parsed.filter(({ msg }) =>
    ["lease granted", "model open", "model done", "call done"].includes(String(msg)),
  );
  expect(inside.length).toBeGreaterThan(10);
  for (const line of inside) {
    expect(line["trace_id"]).toBe(summary.traceId);
    expect(ids).toContain(line["span_id"]);
  }
});

test("no span, metric, log line or event, nor the manifest, holds text of a query or a chunk", async () => {
  const manifest = JSON.stringify(await manifestOf(out.path));
  const trace = await readFile(join(out.path, "run.trace.json"), "utf8");
  expectPrivate({ trace, exposition, log: lines.join("\n"), told, manifest });
});

describe("a search of that run", () => {
  /** Runs `ragline search`; what it is asked comes as an argument, or line by line. */
  async function search(args: readonly string[], asked = ""): Promise<{ stdout: string; stderr: string }> {
    const child = spawn(process.execPath, [bin, "search", "--run", out.path, "--json", ...args], {
      env: { ...process.env, RAGLINE_WORKERS: "1", OTEL_EXPORTER_OTLP_PROTOCOL: "http/json" },
    });
    child.stdin.end(asked);
    const [stdout, stderr, [code]] = await Promise.all([
      text(child.stdout),
      text(child.stderr),
      once(child, "close") as Promise<[number | null]>,
    ]);
    expect(code, stderr).toBe(0);
    return { stdout, stderr };
  }

  /** Names of the spans below one, in the order of their start. */
  const below = (all: readonly TraceSpan[], of: TraceSpan | undefined): string[] =>
    all.filter(({ parentSpanId }) => parentSpanId === of?.spanId).map(({ name }) => name);

  test("is one trace at a prompt, with a span for each question and the models' calls above them", async () => {
    const file = join(out.path, "search.trace.json");
    const { stdout, stderr } = await search(["--trace-file", file], `${query}\nhow is a lease queued\n`);
    expect(stdout.trim().split("\n")).toHaveLength(2);
    const found = await readTraceFile(file);
    expectWhole(found, "rag.search");
    const root = found.find(({ name }) => name === "rag.search");
    const questions = found.filter(({ name }) => name === "rag.query");
    expect(questions.map(({ parentSpanId }) => parentSpanId)).toEqual([root?.spanId, root?.spanId]);
    const steps = ["rag.dense", "rag.dense", "rag.sparse", "rag.sparse", "rag.fusion", "rag.rerank"];
    for (const question of questions) expect(below(found, question)).toEqual(steps);
    const calls = below(found, root).filter((name) => name.startsWith("ragline.v1."));
    const [embed, encode, score] = ["DenseService/Embed", "SparseService/Encode", "RerankService/Score"].map(
      (method) => `ragline.v1.${method}`,
    );
    expect(calls.sort()).toEqual([embed, embed, score, encode, encode]);
    for (const stage of ["dense", "sparse", "rerank"])
      for (const process of ["", "-worker"])
        expect(found.map(({ service }) => service)).toContain(`ragline-${stage}${process}`);
    expectPrivate({ trace: await readFile(file, "utf8"), log: stderr });
  });

  test("sends its trace to a collector, with each model's call below its part of the answer", async () => {
    const receiver = await startOtlpReceiver();
    const args = ["how is a lease queued", "--mode", "sparse", "--top", "1", "--otlp-endpoint", receiver.url];
    const { stdout, stderr } = await search(args);
    receiver.close();
    const answer = JSON.parse(stdout) as { mode: string; hits: { metadata: { relative_path: string } }[] };
    expect(answer).toMatchObject({ mode: "sparse", hits: [{ metadata: { relative_path: "leases.md" } }] });
    const found = [...receiver.spans].sort((a, b) => a.startMs - b.startMs);
    expectWhole(found, "rag.search");
    const question = found.find(({ name }) => name === "rag.query");
    expect(below(found, question)).toEqual(["rag.sparse", "rag.sparse", "rag.fusion"]);
    for (const part of found.filter(({ name }) => name === "rag.sparse"))
      expect(below(found, part)).toEqual(["ragline.v1.SparseService/Encode"]);
    expect(found.map(({ service }) => service)).toContain("ragline-sparse");
    expectPrivate({ trace: JSON.stringify(found), log: stderr });
  });
});

test("the same is pushed to the gateway", () => {
  expect(pushed.method).toBe("PUT");
  expect(pushed.path).toBe("/metrics/job/ragline_run");
  expect(pushed.body).toBe(exposition);
});

test("the manifest has them by stage", async () => {
  const { telemetry } = (await manifestOf(out.path)) as {
    telemetry: { metrics: Record<string, { status: string; metrics: string[]; values: { name: string }[] }> };
  };
  expect(telemetry.metrics["rerank"]).toMatchObject({ status: "emitted" });
  expect(telemetry.metrics["rerank"]?.metrics).toContain("rag_rerank_latency_seconds");
  const latency = telemetry.metrics["dense"]?.values.find(({ name }) => name === "rag_dense_latency_seconds");
  expect(latency).toMatchObject({ labels: {}, count: expect.any(Number) as number, sum: expect.any(Number) as number });
});
