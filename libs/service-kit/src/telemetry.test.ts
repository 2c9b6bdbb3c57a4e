import { Metadata } from "@grpc/grpc-js";
import { SparseService } from "@ragline/contracts";
import { createClient, createServer, listen } from "@ragline/rpc";
import { expect, onTestFinished, test } from "vitest";
import { spawnService } from "./spawn-service.js";

const entry = new URL("../dist/sparse-main.fixture.js", import.meta.url);
const traceId = "0af7651916cd43dd8448eb211c80319c";

/** An OTLP collector that keeps the bytes it was sent. */
async function startCollector() {
  const received: Buffer[] = [];
  const server = createServer();
  const asIs = (bytes: Buffer) => bytes;
  const path = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";
  const codec = {
    requestSerialize: asIs,
    requestDeserialize: asIs,
    responseSerialize: asIs,
    responseDeserialize: asIs,
  };
  server.addService(
    { export: { path, requestStream: false, responseStream: false, ...codec } },
    {
      export: (call: { request: Buffer }, done: (error: null, reply: Buffer) => void) => {
        received.push(call.request);
        done(null, Buffer.alloc(0));
      },
    },
  );
  const address = await listen(server, "127.0.0.1:0");
  onTestFinished(() => server.forceShutdown());
  return { address, received };
}

async function callWithTrace(env: NodeJS.ProcessEnv) {
  // Long enough that what is killed is what waits for ever.
  const spawned = await spawnService({ entry, name: "sparse", stopTimeoutMs: 60_000, env: { ...process.env, ...env } });
  const client = createClient(SparseService, spawned.address);
  const metadata = new Metadata();
  metadata.set("traceparent", `00-${traceId}-b7ad6b7169203331-01`);
  const requests = async function* () {
    yield { texts: ["some words"] };
  };
  await client.measureCorpus(requests(), { metadata });
  client.close();
  return spawned.stop();
}

test("with an OTLP endpoint the spans of calls arrive there, also those of the last moment", async () => {
  const collector = await startCollector();
  const exit = await callWithTrace({ OTEL_EXPORTER_OTLP_ENDPOINT: `http://${collector.address}` });
  expect(exit.code).toBe(0);
  const sent = Buffer.concat(collector.received);
  expect(sent.includes("ragline-sparse")).toBe(true);
  expect(sent.includes("ragline.v1.SparseService/MeasureCorpus")).toBe(true);
  expect(sent.includes(Buffer.from(traceId, "hex"))).toBe(true);
  expect(sent.includes("some words")).toBe(false);
});

test("a collector that cannot be reached does not keep a service from its end", async () => {
  const exit = await callWithTrace({ OTEL_EXPORTER_OTLP_ENDPOINT: "http://127.0.0.1:1" });
  expect(exit.code).toBe(0);
});
