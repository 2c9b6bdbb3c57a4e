import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { remoteLeases } from "@ragline/gpu-lease";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { directoryOf, documents, hashesOf, runHere } from "./run-fixture.js";

const ragline = fileURLToPath(new URL("../bin/ragline.mjs", import.meta.url));
let input: Awaited<ReturnType<typeof directoryOf>>;
let output: Awaited<ReturnType<typeof directoryOf>>;

beforeAll(async () => {
  input = await directoryOf(documents);
  output = await directoryOf({});
});
afterAll(async () => {
  await input.remove();
  await output.remove();
});

const settings = (name: string) => ({
  input: [input.path],
  collections: ["docs"],
  outputDir: join(output.path, name),
  ensembleModels: ["all-miniLM-l6"],
  sparseModels: ["splade-tiny"],
  enableRerank: false,
  device: ["simulated:2x12GB:us-per-token=2000"],
});

/** Starts `ragline lease-broker` and reads the line that it prints. */
async function startBroker(listen = "127.0.0.1:0"): Promise<{ broker: ChildProcess; address: string; line: string }> {
  const args = [
    "lease-broker",
    "--listen",
    listen,
    "--device",
    "simulated:2x4GB:us-per-token=2000",
    "--log-level",
    "error",
  ];
  const broker = spawn(process.execPath, [ragline, ...args], { stdio: ["ignore", "pipe", "inherit"] });
  onTestFinished(() => void broker.kill("SIGKILL"));
  const [told] = (await once(broker.stdout, "data")) as [Buffer];
  const line = String(told).trim();
  return { broker, line, address: /\S+:\d+/.exec(line)?.[0] ?? "" };
}

test("two runs lease from one broker, which is killed and started again; both go on, with the bytes of a run alone", async () => {
  const { broker, address, line } = await startBroker();
  expect(line).toBe(`lease broker at ${address} grants simulated:0 (4 GB), simulated:1 (4 GB)`);
  const held = async () => (await remoteLeases(address).describe()).devices.flatMap(({ leases }) => leases);
  const runs = ["first", "second"].map((name) => runHere({ ...settings(name), leaseBroker: address }));
  const done = Promise.all([runHere(settings("alone")), ...runs]);
  await expect.poll(held).not.toEqual([]);
  broker.kill("SIGKILL");
  await once(broker, "exit");
  await startBroker(address);
  const [alone, first, second] = await done;
  const reasons = [first, second].flatMap((run) => run?.collections[0]?.warnings.map(({ reason }) => reason));
  expect(reasons).toContain("lease_lost");
  expect([alone.degraded, first?.degraded, second?.degraded]).toEqual([false, false, false]);
  const hashes = await hashesOf(join(output.path, "alone"));
  expect(await hashesOf(join(output.path, "first"))).toEqual(hashes);
  expect(await hashesOf(join(output.path, "second"))).toEqual(hashes);
  const { devices } = await remoteLeases(address).describe();
  expect(devices.map(({ grantedBytes, waiting, leases }) => ({ grantedBytes, waiting, leases }))).toEqual([
    { grantedBytes: 0, waiting: 0, leases: [] },
    { grantedBytes: 0, waiting: 0, leases: [] },
  ]);
});

test("a broker that is not there ends a run by its address, before any work", async () => {
  await expect(runHere({ ...settings("none"), leaseBroker: "127.0.0.1:1" })).rejects.toThrow(
    /lease broker at 127.0.0.1:1 is not reachable/,
  );
});
