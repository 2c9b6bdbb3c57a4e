import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { DenseService, LeaseService } from "@ragline/contracts";
import { LeaseBroker, leaseHandlers } from "@ragline/gpu-lease";
import { createClient, createServer, implementation, listen, serviceDefinition, status } from "@ragline/rpc";
import { spawnService } from "@ragline/service-kit";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { DenseStream, failureOf, isAlive } from "./dense-service.fixture.js";

const entry = new URL("../dist/main.js", import.meta.url);

/** The child processes of a process, as Linux tells. */
function childrenOf(parent: number): number[] {
  const pids = readdirSync("/proc").filter((name) => /^\d+$/.test(name));
  return pids.map(Number).filter((pid) => {
    try {
      const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
      return Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]) === parent;
    } catch {
      return false; // it ended meanwhile
    }
  });
}

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
    const family = [pid, ...childrenOf(pid)];
    expect(family).toHaveLength(3);
    stream.sendTexts(...Array<string>(300).fill("a ".repeat(254)));
    const failed = failureOf(stream.next());
    parent.kill("SIGKILL");
    expect(await failed).toMatchObject({ code: status.UNAVAILABLE });
    await vi.waitFor(() => expect(family.filter(isAlive)).toEqual([]), 8000);
  });

  test("the workers die with their service, even one killed", async () => {
    const service = spawn(process.execPath, [fileURLToPath(entry), "--workers", "2"], {
      stdio: ["ignore", "ignore", "pipe"],
    });
    onTestFinished(() => void service.kill("SIGKILL"));
    const [line] = (await once(service.stderr, "data")) as [Buffer];
    const stream = streamTo((JSON.parse(String(line)) as { address: string }).address);
    await stream.ready();
    const workers = childrenOf(service.pid ?? 0);
    expect(workers).toHaveLength(2);
    service.kill("SIGKILL");
    await expect(stream.next()).rejects.toThrow("went away");
    await vi.waitFor(() => expect(workers.filter(isAlive)).toEqual([]), 8000);
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
  { timeout: 60_000 },
  async () => {
    const broker = new LeaseBroker({ devices: [{ name: "cpu:0", kind: "cpu" }] });
    const server = createServer({ "grpc.keepalive_time_ms": 500, "grpc.keepalive_timeout_ms": 500 });
    server.addService(serviceDefinition(LeaseService), implementation(LeaseService, leaseHandlers(broker)));
    const leaseBroker = await listen(server, "127.0.0.1:0");
    onTestFinished(() => server.forceShutdown());
    const service = await spawnService({ entry, name: "dense", args: ["--workers", "1"] });
    onTestFinished(() => void process.kill(service.pid, "SIGKILL"));
    const client = createClient(DenseService, service.address);
    onTestFinished(() => client.close());
    const stream = DenseStream.open(client, { leaseBroker });
    await stream.ready();
    const workers = childrenOf(service.pid);
    process.kill(service.pid, "SIGSTOP");
    await vi.waitFor(() => expect(broker.devices[0]?.grantedBytes).toBe(0), { timeout: 10_000, interval: 50 });
    await vi.waitFor(() => expect(workers.filter(isAlive)).toEqual([]), { timeout: 30_000, interval: 100 });
    process.kill(service.pid, "SIGCONT");
    expect((await stream.embed("a", "b")).rows).toBe(2);
    expect(await stream.end()).toMatchObject({ items: 2n, leasesLost: 1 });
  },
);
