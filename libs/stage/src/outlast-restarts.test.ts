import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { LeaseService } from "@ragline/contracts";
import { LeaseBroker, leaseHandlers, remoteLeases } from "@ragline/gpu-lease";
import { createServer, implementation, listen, serviceDefinition, status } from "@ragline/rpc";
import { expect, onTestFinished, test } from "vitest";
import { outlastRestarts } from "./outlast-restarts.js";

const request = { stage: "dense", model: "m", bytes: 1 } as const;

/** An address at which a broker can be started, and nobody is as yet. */
async function brokerToBe() {
  const directory = await mkdtemp(join(tmpdir(), "ragline-test-"));
  onTestFinished(() => rm(directory, { recursive: true }));
  const address = `unix:${join(directory, "broker.sock")}`;
  const start = async () => {
    const broker = new LeaseBroker({ devices: [{ name: "cpu:0", kind: "cpu" }] });
    const server = createServer();
    server.addService(serviceDefinition(LeaseService), implementation(LeaseService, leaseHandlers(broker)));
    await listen(server, address);
    onTestFinished(() => server.forceShutdown());
  };
  return { start, leases: outlastRestarts(remoteLeases(address), 20_000) };
}

test("a broker that is away is waited for", async () => {
  const { start, leases } = await brokerToBe();
  const described = leases.describe();
  const granted = leases.acquire(request);
  await new Promise((resolve) => setTimeout(resolve, 300));
  await start();
  expect((await described).devices).toHaveLength(1);
  expect(await granted).toMatchObject({ device: "cpu:0", fencingToken: 1 });
});

test.each([0, 100])("one that waits %d ms is told that the broker is away", async (waitMs) => {
  const { leases } = await brokerToBe();
  await expect(leases.acquire({ ...request, waitMs })).rejects.toMatchObject({ code: status.UNAVAILABLE });
});

test("who gives up does not wait on", async () => {
  const { leases } = await brokerToBe();
  const abort = new AbortController();
  const granted = leases.acquire({ ...request, signal: abort.signal });
  setTimeout(() => abort.abort(), 100);
  await expect(granted).rejects.toThrow(/abort/i);
});
