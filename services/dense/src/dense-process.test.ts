import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { DenseService, LeaseService } from "@ragline/contracts";
import { LeaseBroker, leaseHandlers } from "@ragline/gpu-lease";
import { childrenOf, isRunning } from "@ragline/processes";
import { createClient, createServer, implementation, listen, serviceDefinition, status } from "@ragline/rpc";
import { spawnService } from "@ragline/service-kit";
import { describe, expect, onTestFinished, test } from "vitest";
import { DenseStream, failureOf } from "./dense-service.fixture.js";

const entry = new URL("../dist/main.js", import.meta.url);

const childPids = (parent: number): number[] => childrenOf(parent).map(({ pid }) => pid);

/** A process that starts a service and does nothing more. */
async function startThroughParent(): Promise<{ parent: ChildProcess; pid: number; address: string }> {
  const script = `import { spawnService } from "@ragline/service-kit";
    const { pid, address } = await spawnService({ entry: new URL("${entry.href}"), name: "dense", args: ["--workers", "2"] });
    process.stdout.write(JSON.stringify({ pid, address }));
    setInterval(() => {}, 1000);`;
  const parent = spawn(process.execPath, ["--input-type=module", "-e", script], {
    cwd: fileURLToPath(new URL("..", import.meta.url)),
    stdio: ["ignore", "pipe", "inherit"],
  });
  onTestFinished(() => void parent.kill("SIGKILL"));
  const [told] = (await once(parent.stdout, "data")) as [Buffer];
  return { parent, ...(JSON.parse(String(told)) as { pid: number; address: string }) };
}

function streamTo(address: string): DenseStream {
  const client = createClient(DenseService, address);
  onTestFinished(() => client.close());
  return DenseStream.open(client, {});
}

describe.skipIf(process.platform !== "linux")("a process that is killed", () => {
  test("the service and its workers die with the process that started it, even one killed", async () => {
    const { parent, pid, address } = await startThroughParent();
    const stream = streamTo(address);
    await stream.ready();
    const family = [pid, ...childPids(pid)];
    expect(family).toHaveLength(3);
    stream.sendTexts(...Array<string>(300).fill("a ".repeat(254)));
    const failed = failureOf(stream.next());
    parent.kill("SIGKILL");
    expect(await failed).toMatchObject({ code: status.UNAVAILABLE });
    await expect.poll(() => family.filter(isRunning)).toEqual([]);
  });

  test("the workers die with their service, even one killed", async () => {
    const service = spawn(process.execPath, [fileURLToPath(entry), "--workers", "2"], {
      stdio: ["ignore", "ignore", "pipe"],
    });
    onTestFinished(() => void service.kill("SIGKILL"));
    const [line] = (await once(service.stderr, "data")) as [Buffer];
    const stream = streamTo((JSON.parse(String(line)) as { address: string }).address);
    await stream.ready();
    const workers = childPids(service.pid ?? 0);
    expect(workers).toHaveLength(2);
    service.kill("SIGKILL");
    await expect(stream.next()).rejects.toThrow("went away");
    await expect.poll(() => workers.filter(isRunning)).toEqual([]);
  });
});

test("SIGTERM lets the stream that runs finish, then the process ends with 0", async () => {
  const service = await spawnService({ entry, name: "dense" });
  const stream = streamTo(service.address);
  await stream.ready();
  const stopped = service.stop();
  expect((await stream.embed("a", "b")).rows).toBe(2);
  expect((await stream.end()).items).toBe(2n);
  expect(await stopped).toMatchObject({ code: 0, signal: null });
});

test.skipIf(process.platform !== "linux")(
  "a service that is frozen loses its lease, its workers end by themselves, and it goes on when it wakes up",
  async () => {
    const broker = new LeaseBroker({ devices: [{ name: "cpu:0", kind: "cpu" }] });
    const server = createServer({ "grpc.keepalive_time_ms": 1000, "grpc.keepalive_timeout_ms": 2000 });
    server.addService(serviceDefinition(LeaseService), implementation(LeaseService, leaseHandlers(broker)));
    const leaseBroker = await listen(server, "127.0.0.1:0");
    onTestFinished(() => server.forceShutdown());
    const service = await spawnService({ entry, name: "dense", args: ["--workers", "1"] });
    onTestFinished(() => void process.kill(service.pid, "SIGKILL"));
    const client = createClient(DenseService, service.address);
    onTestFinished(() => client.close());
    const stream = DenseStream.open(client, { leaseBroker });
    await stream.ready();
    const workers = childPids(service.pid);
    process.kill(service.pid, "SIGSTOP");
    await expect.poll(() => broker.devices[0]?.grantedBytes).toBe(0);
    await expect.poll(() => workers.filter(isRunning)).toEqual([]);
    process.kill(service.pid, "SIGCONT");
    expect((await stream.embed("a", "b")).rows).toBe(2);
    // It learns that its lease is gone when a ping to the broker fails, which may be after its first answer.
    await expect.poll(() => broker.devices[0]?.leases[0]?.fencingToken).toBe(2);
    expect(await stream.end()).toMatchObject({ items: 2n, leasesLost: 1 });
  },
);
