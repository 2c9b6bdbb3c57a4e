import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { type AddressInfo, connect, Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { LoopbackHub } from "@ragline/loopback-hub";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { withFileLock } from "./file-lock.js";
import { type PullOptions, pullFiles } from "./pull-files.js";

const repository = "someone/model";
const commit = "0123456789abcdef0123456789abcdef01234567";
const weights = Buffer.from(Array.from({ length: 5000 }, (_, i) => (i * 7) & 255));
const built = fileURLToPath(new URL("../dist/pull-process-fixture.js", import.meta.url));

let hub: LoopbackHub;
let cacheDir: string;

beforeEach(async () => {
  cacheDir = mkdtempSync(join(tmpdir(), "ragline-hub-"));
  hub = await LoopbackHub.start({ [repository]: { commit, files: { "model.onnx": weights, "config.json": "{}" } } });
});

afterEach(async () => {
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
  await hub.close();
  rmSync(cacheDir, { recursive: true, force: true });
});

const options = (more: Partial<PullOptions> = {}): PullOptions => ({
  repository,
  revision: "main",
  files: [{ name: "model.onnx" }, { name: "config.json" }],
  endpoint: hub.endpoint,
  cacheDir,
  segmentBytes: 1000,
  minBackoffMs: 1,
  staleLockMs: 1000,
  ...more,
});

const ranges = () => hub.downloads("model.onnx").map(({ headers }) => headers.range);

test("processes that pull the same at once fetch it once", async () => {
  hub.faults.push(...Array.from({ length: 6 }, () => ({ kind: "slow" }) as const));
  const run = () => promisify(execFile)(process.execPath, [built, JSON.stringify(options())]);
  const outputs = await Promise.all([run(), run(), run()]);
  const fetched = outputs.map(({ stdout }) => stdout.split('"fetched":true').length - 1);
  expect(fetched.toSorted((a, b) => a - b)).toEqual([0, 0, 2]);
  expect(ranges()).toHaveLength(5);
  expect(hub.downloads("config.json")).toHaveLength(1);
});

test("what a killed process left is gone on with, once it shows no sign of life", async () => {
  // The two HEADs, two segments, then one of which half comes.
  hub.faults.push(undefined, undefined, undefined, undefined, { kind: "stall", after: 500 });
  const child = spawn(process.execPath, [built, JSON.stringify(options({ connections: 1 }))], { stdio: "ignore" });
  await expect.poll(() => ranges()).toHaveLength(3);
  await delay(50);
  child.kill("SIGKILL");
  await once(child, "exit");
  hub.requests.length = 0;
  const progress: number[] = [];
  let waits = 0;
  const { files } = await pullFiles(
    options({
      onWait: () => void waits++,
      onProgress: ({ doneBytes }) => void progress.push(doneBytes),
      // Less than the whole file: what is there already needs no more room.
      freeBytes: async () => 3002,
    }),
  );
  expect(waits).toBe(1);
  expect(new Set(ranges())).toEqual(new Set(["bytes=2000-2999", "bytes=3000-3999", "bytes=4000-4999"]));
  expect(progress.find((bytes) => bytes > 0)).toBe(2000);
  expect(readFileSync(files[0]?.path ?? "")).toEqual(weights);
});

test("work under a lock is never done by two at once, also where a holder died", async () => {
  const path = join(cacheDir, "locks", "a.lock");
  let inside = 0;
  let most = 0;
  const work = () =>
    withFileLock(
      path,
      async () => {
        most = Math.max(most, ++inside);
        await delay(5);
        inside--;
      },
      { staleMs: 1000 },
    );
  await Promise.all(Array.from({ length: 8 }, work));
  writeFileSync(path, "of a process that died");
  await Promise.all(Array.from({ length: 8 }, work));
  expect(most).toBe(1);
  const stopped = new AbortController();
  const waiting = withFileLock(path, async () => {
    stopped.abort(new Error("enough"));
    await expect(withFileLock(path, work, { signal: stopped.signal })).rejects.toThrow("enough");
  });
  await waiting;
});

test("offline, no socket is opened: what is here is used, what is not is named", async () => {
  await pullFiles(options({ files: [{ name: "config.json" }] }));
  const opened = vi.spyOn(Socket.prototype, "connect");
  const { files } = await pullFiles(options({ offline: true, files: [{ name: "config.json" }] }));
  expect(files.map(({ fetched }) => fetched)).toEqual([false]);
  await expect(pullFiles(options({ offline: true }))).rejects.toMatchObject({
    problem: "offline",
    message: `${repository}: model.onnx is not in the cache ${cacheDir}, and nothing may be downloaded (--local-files-only, HF_HUB_OFFLINE)`,
  });
  await expect(pullFiles(options({ offline: true, refresh: true }))).rejects.toMatchObject({ problem: "offline" });
  expect(opened).not.toHaveBeenCalled();
  await pullFiles(options());
  expect(opened).toHaveBeenCalled();
});

test("requests go through the proxy that the environment names, except to hosts that it excepts", async () => {
  const targets: string[] = [];
  const proxy = createServer().on("connect", (request, client: Socket) => {
    targets.push(request.url ?? "");
    const [host = "", port = ""] = (request.url ?? "").split(":");
    const upstream = connect(Number(port), host, () => client.write("HTTP/1.1 200 OK\r\n\r\n"));
    upstream.pipe(client).pipe(upstream);
    for (const socket of [upstream, client]) socket.on("error", () => undefined);
  });
  await new Promise<void>((resolve) => proxy.listen(0, "127.0.0.1", resolve));
  try {
    const address = `http://user:pass@127.0.0.1:${(proxy.address() as AddressInfo).port}`;
    vi.stubEnv("http_proxy", address);
    vi.stubEnv("no_proxy", "example.org");
    await pullFiles(options());
    expect(targets.length).toBeGreaterThan(0);
    targets.length = 0;
    vi.stubEnv("no_proxy", "127.0.0.1");
    await pullFiles(options({ refresh: true }));
    expect(targets).toEqual([]);
  } finally {
    proxy.closeAllConnections();
    proxy.close();
  }
});
