import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { LeaseService, Stage } from "@ragline/contracts";
import { createClient, createServer, implementation, listen, serviceDefinition, status } from "@ragline/rpc";
import { expect, onTestFinished, test } from "vitest";
import type { LeaseRequest } from "./lease.js";
import { LeaseBroker } from "./lease-broker.js";
import { leaseHandlers } from "./lease-handlers.js";
import { remoteLeases } from "./remote-leases.js";

const request: LeaseRequest = { stage: "dense", model: "bge", bytes: 100 };

async function serveBroker(channelOptions: Parameters<typeof createServer>[0] = {}) {
  const broker = new LeaseBroker({ devices: [{ name: "cpu:0", kind: "cpu", capBytes: 1000 }] });
  const server = createServer(channelOptions);
  server.addService(serviceDefinition(LeaseService), implementation(LeaseService, leaseHandlers(broker)));
  const address = await listen(server, "127.0.0.1:0");
  onTestFinished(() => server.forceShutdown());
  return { broker, address, server, leases: remoteLeases(address) };
}

const kinds = (broker: LeaseBroker) => broker.events.map(({ kind }) => kind);

test("a lease is granted, reports its use and is released over gRPC", async () => {
  const { broker, leases } = await serveBroker();
  const lease = await leases.acquire(request);
  expect(lease).toMatchObject({ device: "cpu:0", bytes: 100, fencingToken: 1 });
  expect(lease.id).toBe(broker.events[0]?.leaseId);
  lease.reportUsage(70);
  lease.reportUsage(60);
  lease.release();
  lease.release();
  await expect.poll(() => kinds(broker)).toEqual(["granted", "released"]);
  expect(broker.events[1]?.peakBytes).toBe(70);
  expect(lease.revoked.aborted).toBe(false);
});

test("the next in line waits, hears its position, and gets the lease", async () => {
  const { broker, leases } = await serveBroker();
  const first = await leases.acquire(request);
  const positions: number[] = [];
  const second = leases.acquire({ ...request, onQueued: (position) => positions.push(position) });
  await expect.poll(() => positions).toEqual([0]);
  first.release();
  const lease = await second;
  expect(lease.fencingToken).toBe(2);
  expect(lease.waitMs).toBeGreaterThan(0);
  lease.release();
  await expect.poll(() => broker.devices[0]?.grantedBytes).toBe(0);
});

test("one that gives up leaves the line; its signal means nothing after the grant", async () => {
  const { broker, leases } = await serveBroker();
  const held = new AbortController();
  const first = await leases.acquire({ ...request, signal: held.signal });
  held.abort();
  const waiting = new AbortController();
  const second = leases.acquire({ ...request, signal: waiting.signal, onQueued: () => waiting.abort() });
  await expect(second).rejects.toMatchObject({ code: status.CANCELLED });
  await expect.poll(() => broker.devices[0]).toMatchObject({ grantedBytes: 100, waiting: 0 });
  first.release();
});

test("a request above the cap is refused with the broker's sentence", async () => {
  const { leases } = await serveBroker();
  await expect(leases.acquire({ ...request, bytes: 1001 })).rejects.toMatchObject({
    reason: "LEASE_ABOVE_CAP",
    message: expect.stringContaining("bge needs 1001 bytes, above the cap"),
  });
});

/** A process that holds a lease and does nothing. */
async function holdElsewhere(address: string): Promise<ChildProcess> {
  const index = new URL("../dist/index.js", import.meta.url).href;
  const script = `import { remoteLeases } from ${JSON.stringify(index)};
    await remoteLeases(${JSON.stringify(address)}).acquire(${JSON.stringify(request)});
    process.stdout.write("held");
    setInterval(() => {}, 1000);`;
  const holder = spawn(process.execPath, ["--input-type=module", "-e", script], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  onTestFinished(() => void holder.kill("SIGKILL"));
  await once(holder.stdout, "data");
  return holder;
}

test.each([
  ["is killed", "SIGKILL", {}],
  ["is frozen", "SIGSTOP", { "grpc.keepalive_time_ms": 1000, "grpc.keepalive_timeout_ms": 2000 }],
] as const)("a holder that %s gives its lease back", async (_, signal, channelOptions) => {
  const { broker, address, leases } = await serveBroker(channelOptions);
  const holder = await holdElsewhere(address);
  const next = leases.acquire(request);
  expect(broker.devices[0]?.grantedBytes).toBe(100);
  holder.kill(signal);
  expect((await next).fencingToken).toBe(2);
});

test("a holder that stood still takes its lease for lost before it hears anything else", async () => {
  const { address, broker } = await serveBroker();
  const lease = await remoteLeases(address, { standstillMs: 200 }).acquire(request);
  const order: string[] = [];
  lease.revoked.addEventListener("abort", () => order.push("revoked"));
  createClient(LeaseService, address)
    .listDevices({})
    .then(
      () => order.push("answered"),
      () => order.push("failed"),
    );
  // The whole process stands, as it does when it is stopped by a signal.
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 400);
  await expect.poll(() => order).toEqual(["revoked", "answered"]);
  expect(lease.revoked.reason).toMatchObject({ reason: "LEASE_LOST", message: /stood still for 0 s/ });
  lease.release();
  await expect.poll(() => broker.devices[0]?.grantedBytes).toBe(0);
});

test("a revoked lease tells its holder why", async () => {
  const { broker, leases } = await serveBroker();
  const lease = await leases.acquire(request);
  broker.revoke(lease.id, "the device is needed");
  await once(lease.revoked, "abort");
  expect(lease.revoked.reason).toMatchObject({ reason: "LEASE_REVOKED", message: "the device is needed" });
  expect(broker.devices[0]?.grantedBytes).toBe(100);
  lease.release();
  await expect.poll(() => broker.devices[0]?.grantedBytes).toBe(0);
});

test("a lease is revoked when its broker is lost, and nobody can be asked any more", async () => {
  const { server, address, leases } = await serveBroker();
  const lease = await leases.acquire(request);
  server.forceShutdown();
  await once(lease.revoked, "abort");
  expect(lease.revoked.reason).toMatchObject({ name: "RaglineError" });
  lease.release();
  await expect(leases.acquire(request)).rejects.toMatchObject({
    code: status.UNAVAILABLE,
    message: expect.stringContaining(`lease broker at ${address}`),
  });
});

test.each([
  ["usage first", [{ kind: { case: "usage" as const, value: { bytes: 1n } } }], "LEASE_NOT_ASKED"],
  ["nothing", [], "LEASE_NOT_ASKED"],
  [
    "a stage without a device",
    [{ kind: { case: "acquire" as const, value: { stage: Stage.EXPORT, bytes: 1n } } }],
    "LEASE_STAGE_INVALID",
  ],
])("%s is refused", async (_, messages, reason) => {
  const { address } = await serveBroker();
  const client = createClient(LeaseService, address);
  onTestFinished(() => client.close());
  const stream = async function* () {
    yield* messages;
  };
  const read = async () => {
    for await (const _ of client.hold(stream()));
  };
  await expect(read()).rejects.toMatchObject({ code: status.INVALID_ARGUMENT, reason });
});
