import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { SparseService } from "@ragline/contracts";
import { childrenOf, isRunning } from "@ragline/processes";
import { createClient } from "@ragline/rpc";
import { expect, onTestFinished, test } from "vitest";
import { describeExit, type SpawnOptions, spawnService } from "./spawn-service.js";

const entry = new URL("../dist/sparse-main.fixture.js", import.meta.url);

async function start(more: Partial<SpawnOptions> = {}) {
  // Long enough that what is killed is what does not stop at all.
  const spawned = await spawnService({ entry, name: "sparse", stopTimeoutMs: 60_000, ...more });
  const client = createClient(SparseService, spawned.address, { name: "sparse service" });
  onTestFinished(async () => {
    client.close();
    await spawned.stop();
  });
  return { spawned, client };
}

async function* model(name: string, until: Promise<unknown> = Promise.resolve()) {
  yield { kind: { case: "open" as const, value: { model: name } } };
  await until;
}

async function* words(...texts: string[]) {
  yield { texts };
}

test("a service is started, answers and is stopped", async () => {
  const { spawned, client } = await start({ args: ["--word-factor", "4"] });
  expect(spawned.address).toMatch(/^127\.0\.0\.1:\d+$/);
  expect((await client.measureCorpus(words("a b c"))).words).toBe(12n);
  const exit = await spawned.stop();
  expect(exit).toMatchObject({ code: 0, signal: null });
  expect(exit.lastLines.map((line) => (JSON.parse(line) as { msg: string }).msg)).toEqual([
    "ready",
    "call done",
    "asked to stop",
    "draining",
    "stopped",
  ]);
});

test("a service on a Unix socket", async () => {
  const folder = mkdtempSync(join(tmpdir(), "ragline-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const { spawned, client } = await start({ args: ["--listen", `unix:${folder}/s`] });
  expect(spawned.address).toBe(`unix:${folder}/s`);
  expect((await client.measureCorpus(words("a"))).words).toBe(1n);
});

test.each([
  [
    ["--word-factor", "none"],
    'exit code 2; it said last: ragline sparse: --word-factor is "none"; expected a whole number of at least 1',
  ],
  [
    ["--word-facter", "2"],
    "exit code 2; it said last: ragline sparse: unknown flag --word-facter; did you mean --word-factor?",
  ],
  [["--listen", "8080"], 'exit code 2; it said last: ragline sparse: cannot listen on "8080": expected host:port'],
  [["--listen", "unix:/nowhere/s"], "exit code 1; it said last: ragline sparse: cannot listen on unix:/nowhere/s: "],
])("a start with %j fails with the service's sentence", async (args, sentence) => {
  await expect(spawnService({ entry, name: "sparse", args })).rejects.toMatchObject({
    reason: "SERVICE_NOT_STARTED",
    message: expect.stringContaining(sentence),
  });
});

test("a port in use is named", async () => {
  const { spawned } = await start();
  const again = spawnService({ entry, name: "sparse", args: ["--listen", spawned.address] });
  await expect(again).rejects.toThrow(`cannot listen on ${spawned.address}: the port is in use`);
});

test.runIf(process.platform === "linux")("a service that is not ready in time is killed", async () => {
  const before = childrenOf(process.pid).map(({ pid }) => pid);
  const slow = spawnService({ entry, name: "sparse", readyTimeoutMs: 20 });
  const [child] = childrenOf(process.pid).filter(({ pid }) => !before.includes(pid));
  await expect(slow).rejects.toThrow("the sparse service did not start: not ready within 20 ms");
  await expect.poll(() => isRunning(child?.pid ?? process.pid)).toBe(false);
});

test("a service that is killed says so, with its last lines, and its callers get an error", async () => {
  const { spawned, client } = await start();
  const replies = client.encode(model("crash"));
  const read = async () => {
    for await (const _ of replies);
  };
  await expect(read()).rejects.toThrow(/^sparse service at .* went away before it had answered/);
  const exit = await spawned.exited;
  expect(exit).toMatchObject({ code: null, signal: "SIGKILL" });
  expect(describeExit("sparse", spawned.pid, exit)).toBe(
    `sparse service (pid ${spawned.pid}) was killed by SIGKILL; it said last: ready`,
  );
});

test("stop finishes what runs, and kills the whole tree of what does not stop in time", async () => {
  const quick = await start();
  const enough = new AbortController();
  const replies = quick.client.encode(model("hold", once(enough.signal, "abort")));
  await replies.next();
  const stopped = quick.spawned.stop();
  enough.abort();
  expect((await replies.next()).value?.kind.case).toBe("summary");
  expect((await stopped).code).toBe(0);

  const slow = await start({ stopTimeoutMs: 300 });
  const stuck = slow.client.encode(model("spawn"));
  await stuck.next();
  const { kind } = (await stuck.next()).value ?? {};
  const workerPid = Number(kind?.case === "summary" ? kind.value.items : 0);
  expect(isRunning(workerPid)).toBe(true);
  expect((await slow.spawned.stop()).signal).toBe("SIGKILL");
  await expect.poll(() => isRunning(workerPid)).toBe(false);
});

test("a signal stops the service, during its start and later", async () => {
  await expect(spawnService({ entry, name: "sparse", signal: AbortSignal.abort() })).rejects.toMatchObject({
    reason: "CANCELLED",
  });
  const abort = new AbortController();
  const { spawned } = await start({ signal: abort.signal });
  abort.abort();
  expect((await spawned.exited).code).toBe(0);
});

function startAlone(...args: string[]): { child: ChildProcess; ready: Promise<unknown> } {
  const child = spawn(process.execPath, [fileURLToPath(entry), ...args], { stdio: ["ignore", "ignore", "pipe"] });
  onTestFinished(() => void child.kill("SIGKILL"));
  return { child, ready: once(child.stderr, "data") };
}

test.each(["SIGTERM", "SIGINT"] as const)(
  "%s drains and exits 0; started without a parent it logs its address",
  async (signal) => {
    const { child, ready } = startAlone();
    const [line] = (await ready) as [Buffer];
    expect(JSON.parse(String(line).trim())).toMatchObject({
      msg: "ready",
      address: expect.stringMatching(/^127.*:\d+$/),
    });
    child.kill(signal);
    expect(await once(child, "exit")).toEqual([0, null]);
  },
);

test("a second signal exits 130 at once", async () => {
  const { child, ready } = startAlone();
  const [line] = (await ready) as [Buffer];
  const { address } = JSON.parse(String(line)) as { address: string };
  const client = createClient(SparseService, address);
  onTestFinished(() => client.close());
  const replies = client.encode(model("work"));
  await replies.next();
  replies.next().catch(() => {});
  const draining = once(child.stderr ?? child, "data");
  child.kill("SIGTERM");
  await draining;
  expect(child.exitCode).toBeNull();
  child.kill("SIGINT");
  expect(await once(child, "exit")).toEqual([130, null]);
});

test("a service dies with its parent, even one killed", async () => {
  const script = `import { spawnService } from ${JSON.stringify(new URL("../dist/index.js", import.meta.url).href)};
    const { pid } = await spawnService({ entry: new URL(${JSON.stringify(entry.href)}), name: "sparse" });
    process.stdout.write(String(pid));
    setInterval(() => {}, 1000);`;
  const parent = spawn(process.execPath, ["--input-type=module", "-e", script], {
    stdio: ["ignore", "pipe", "ignore"],
  });
  const [pid] = (await once(parent.stdout, "data")) as [Buffer];
  onTestFinished(() => void (isRunning(Number(pid)) && process.kill(Number(pid), "SIGKILL")));
  expect(isRunning(Number(pid))).toBe(true);
  parent.kill("SIGKILL");
  await expect.poll(() => isRunning(Number(pid))).toBe(false);
});

test("--help lists every setting with its variable", () => {
  const { stdout, status } = spawnSync(process.execPath, [fileURLToPath(entry), "--help"], { encoding: "utf8" });
  expect(status).toBe(0);
  expect(stdout).toContain("--word-factor <integer>");
  expect(stdout).toContain("RAGLINE_SPARSE_WORD_FACTOR; default 1.");
  expect(stdout).toContain("OTEL_EXPORTER_OTLP_ENDPOINT");
});
