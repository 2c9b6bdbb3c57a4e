import { spawn } from "node:child_process";
import { once } from "node:events";
import { credentials, loadPackageDefinition, type ServiceClientConstructor } from "@grpc/grpc-js";
import { SparseService } from "@ragline/contracts";
import { createClient, status } from "@ragline/rpc";
import { service as healthService } from "grpc-health-check";
import { expect, onTestFinished, test, vi } from "vitest";
import { sparseFixture } from "./sparse.fixture.js";
import { startService } from "./start-service.js";

async function start(args: string[] = [], env: Record<string, string> = {}) {
  const running = await startService(sparseFixture, {
    args: args.includes("--log-level") ? args : ["--log-level", "silent", ...args],
    env,
  });
  const client = createClient(SparseService, running.address);
  onTestFinished(async () => {
    client.close();
    await running.drain(0);
  });
  return { running, client };
}

async function* words(...texts: string[]) {
  yield { texts };
}

async function* model(name: string, until: Promise<unknown> = Promise.resolve()) {
  yield { kind: { case: "open" as const, value: { model: name } } };
  await until;
}

async function health(address: string, service: string): Promise<string> {
  const Health = loadPackageDefinition({ Health: healthService })["Health"] as ServiceClientConstructor;
  const client = new Health(address, credentials.createInsecure());
  try {
    return await new Promise((resolve, reject) => {
      client["check"]?.({ service }, (error: Error | null, reply: { status: string }) =>
        error ? reject(error) : resolve(reply.status),
      );
    });
  } finally {
    client.close();
  }
}

test.each([
  [[], {}, 2n],
  [["--word-factor", "5"], { RAGLINE_SPARSE_WORD_FACTOR: "3" }, 10n],
  [[], { RAGLINE_SPARSE_WORD_FACTOR: "3" }, 6n],
])("settings come from flags %j over variables %j", async (args, env, expected) => {
  const { client } = await start(args, env);
  expect((await client.measureCorpus(words("two words"))).words).toBe(expected);
});

test("a running service is healthy, as a whole and by name, until it drains", async () => {
  const { running, client } = await start();
  expect(await health(running.address, "")).toBe("SERVING");
  expect(await health(running.address, "ragline.v1.SparseService")).toBe("SERVING");
  const enough = new AbortController();
  const replies = client.encode(model("hold", once(enough.signal, "abort")));
  await replies.next();
  const drained = running.drain();
  expect(await health(running.address, "")).toBe("NOT_SERVING");
  expect(await health(running.address, "ragline.v1.SparseService")).toBe("NOT_SERVING");
  await expect(client.measureCorpus(words("x"))).rejects.toMatchObject({
    code: status.UNAVAILABLE,
    reason: "SHUTTING_DOWN",
  });
  enough.abort();
  expect((await replies.next()).value?.kind.case).toBe("summary"); // what ran has finished
  expect((await replies.next()).done).toBe(true);
  await drained;
  await expect(client.measureCorpus(words("x"))).rejects.toMatchObject({ reason: "NOT_REACHABLE" });
});

test.each(["work", "stubborn"])("after the grace time a call that runs (%s) is cancelled", async (what) => {
  const { running, client } = await start();
  const replies = client.encode(model(what));
  await replies.next();
  const ended = replies.next().catch((error: unknown) => error);
  await running.drain(200);
  expect(await ended).toMatchObject({ code: status.UNAVAILABLE });
});

test("a second drain waits for the first", async () => {
  const { running, client } = await start();
  const enough = new AbortController();
  const replies = client.encode(model("hold", once(enough.signal, "abort")));
  await replies.next();
  let drained = 0;
  const drains = [1, 2].map(() => running.drain().then(() => drained++));
  expect(drained).toBe(0);
  enough.abort();
  for await (const _ of replies);
  await Promise.all(drains);
  expect(drained).toBe(2);
});

test("reflection tells buf what the service offers", async () => {
  const { running } = await start();
  const buf = spawn("npx", [
    "buf",
    "curl",
    "--protocol",
    "grpc",
    "--http2-prior-knowledge",
    "--list-methods",
    `http://${running.address}`,
  ]);
  let listed = "";
  buf.stdout.on("data", (chunk) => {
    listed += String(chunk);
  });
  await new Promise((resolve) => buf.once("close", resolve));
  expect(listed.trim().split("\n")).toEqual([
    "ragline.v1.SparseService/Encode",
    "ragline.v1.SparseService/MeasureCorpus",
    "ragline.v1.TelemetryService/Collect",
  ]);
});

test("/metrics has the stage's metrics under the namespace asked for", async () => {
  const { running, client } = await start(["--metrics-listen", "127.0.0.1:0"], { EMBEDDER_METRICS_NAMESPACE: "acme" });
  await client.measureCorpus(words("x"));
  const text = await (await fetch(`http://${running.metricsAddress}/metrics`)).text();
  for (const line of [
    'acme_sparse_latency_seconds_bucket{le="0.25"} 1',
    'acme_batch_size_sum{stage="sparse"} 2',
    'acme_batch_tokens_sum{stage="sparse"} 40',
    'acme_queue_depth{stage="sparse"} 0',
    'acme_oom_total{stage="sparse"} 0',
    'acme_gpu_lease_wait_seconds_bucket{le="0.25",stage="sparse"} 1',
    'acme_chunks_total{stage="sparse",outcome="ok"} 2',
    'acme_gpu_peak_bytes{stage="sparse",device="cpu:0"} 5',
  ]) {
    expect(text.split("\n")).toContain(line);
  }
  expect((await fetch(`http://${running.metricsAddress}/`)).status).toBe(404);
});

test("metrics that are switched off are not served", async () => {
  const { running } = await start(["--metrics-listen", "127.0.0.1:0"], { EMBEDDER_METRICS_ENABLED: "off" });
  expect(running.metricsAddress).toBeUndefined();
});

test("a metrics port in use is named", async () => {
  const { running } = await start(["--metrics-listen", "127.0.0.1:0"]);
  const again = start(["--metrics-listen", running.metricsAddress ?? ""]);
  await expect(again).rejects.toThrow(`cannot serve metrics on ${running.metricsAddress}: the port is in use`);
});

test("the log tells an unknown error once, with its causes and its span; the caller reads no more than internal", async () => {
  const lines: string[] = [];
  const write = vi.spyOn(process.stderr, "write").mockImplementation((line) => lines.push(String(line)) > 0);
  onTestFinished(() => write.mockRestore());
  const { client } = await start(["--log-level", "warn"]);
  const { context, propagation, trace } = await import("@opentelemetry/api");
  const traceId = "0af7651916cd43dd8448eb211c80319c";
  const parent = propagation.extract(context.active(), { traceparent: `00-${traceId}-b7ad6b7169203331-01` });
  expect(trace.getSpanContext(parent)?.traceId).toBe(traceId);
  const replies = context.with(parent, () => client.encode(model("fail")));
  await replies.next();
  await expect(replies.next()).rejects.toMatchObject({ code: status.INTERNAL, message: "internal error" });
  const logged = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
  expect(logged).toHaveLength(1);
  expect(logged[0]).toMatchObject({
    level: "error",
    service: "sparse",
    method: "/ragline.v1.SparseService/Encode",
    code: "INTERNAL",
    trace_id: traceId,
    err: { type: "TypeError", message: "the secret", cause: { message: "the deeper cause" } },
  });
});

test("a wrong start leaves the port free", async () => {
  const wrong = startService(sparseFixture, { args: ["--fail-start"] });
  await expect(wrong).rejects.toThrow("the fixture was told to fail");
});
