import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Fault, gitSha1, LoopbackHub, sha256 } from "@ragline/loopback-hub";
import fc from "fast-check";
import { afterEach, beforeEach, expect, test } from "vitest";
import { HubError } from "./hub-error.js";
import { type PullOptions, pullFiles } from "./pull-files.js";

const repository = "someone/model-onnx";
const commit = "0123456789abcdef0123456789abcdef01234567";
const tokenizer = Buffer.from('{"version":"1.0"}');

let hub: LoopbackHub;
let cacheDir: string;

/** Bytes that differ everywhere. */
const content = (bytes: number): Buffer =>
  Buffer.from(Array.from({ length: bytes }, (_, i) => (i * 31 + (i >> 8)) & 255));

beforeEach(async () => {
  cacheDir = mkdtempSync(join(tmpdir(), "ragline-hub-"));
  const files = { "onnx/model.onnx": content(5000), "tokenizer.json": tokenizer };
  hub = await LoopbackHub.start({ [repository]: { commit, files } });
});

afterEach(async () => {
  await hub.close();
  rmSync(cacheDir, { recursive: true, force: true });
});

const pull = (more: Partial<PullOptions> = {}) =>
  pullFiles({
    repository,
    revision: "main",
    files: [{ name: "onnx/model.onnx" }, { name: "tokenizer.json" }],
    endpoint: hub.endpoint,
    cacheDir,
    segmentBytes: 1024,
    minBackoffMs: 1,
    retries: 4,
    ...more,
  });

/** Files of the cache under their final names. */
function finalFiles(): { hash: string; bytes: Buffer }[] {
  const blobs = join(cacheDir, "models--someone--model-onnx", "blobs");
  let names: string[] = [];
  try {
    names = readdirSync(blobs);
  } catch {
    return [];
  }
  return names.filter((name) => !name.includes(".")).map((hash) => ({ hash, bytes: readFileSync(join(blobs, hash)) }));
}

function expectOnlyRightFiles(): void {
  for (const { hash, bytes } of finalFiles()) expect([sha256(bytes), gitSha1(bytes)]).toContain(hash);
}

test("files come into the layout of huggingface_hub, with bytes that were checked", async () => {
  const progress: number[] = [];
  const { commit: found, files } = await pull({ onProgress: ({ doneBytes }) => void progress.push(doneBytes) });
  expect(found).toBe(commit);
  const root = join(cacheDir, "models--someone--model-onnx");
  expect(readFileSync(join(root, "refs", "main"), "utf8")).toBe(commit);
  expect(files.map(({ name, bytes, sha256: hash, fetched }) => ({ name, bytes, hash, fetched }))).toEqual([
    { name: "onnx/model.onnx", bytes: 5000, hash: sha256(content(5000)), fetched: true },
    { name: "tokenizer.json", bytes: tokenizer.length, hash: sha256(tokenizer), fetched: true },
  ]);
  expect(readFileSync(join(root, "snapshots", commit, "onnx", "model.onnx"))).toEqual(content(5000));
  expect(readdirSync(join(root, "blobs")).sort()).toEqual([gitSha1(tokenizer), sha256(content(5000))].sort());
  expect(progress.at(-1)).toBe(5000 + tokenizer.length);
  const parts = hub.downloads("onnx/model.onnx").map(({ headers }) => headers.range);
  expect(parts).toHaveLength(5);
  expect(new Set(parts)).toEqual(
    new Set(["0-1023", "1024-2047", "2048-3071", "3072-4095", "4096-4999"].map((part) => `bytes=${part}`)),
  );
});

test("what is here is not fetched again, nor asked for", async () => {
  await pull();
  hub.requests.length = 0;
  const { files } = await pull();
  expect(files.map(({ fetched }) => fetched)).toEqual([false, false]);
  expect(hub.requests).toEqual([]);
  const again = await pull({ refresh: true });
  expect(again.files.map(({ fetched }) => fetched)).toEqual([true, true]);
});

const faults: fc.Arbitrary<Fault | undefined> = fc.oneof(
  { weight: 12, arbitrary: fc.constant(undefined) },
  {
    weight: 6,
    arbitrary: fc.constantFrom(429, 500, 502, 503, 504, 408).map((status): Fault => ({ kind: "status", status })),
  },
  {
    weight: 3,
    arbitrary: fc
      .constantFrom("0", "0.005", "soon", new Date(0).toUTCString())
      .map((header): Fault => ({ kind: "status", status: 429, headers: { "retry-after": header } })),
  },
  { weight: 3, arbitrary: fc.constantFrom(401, 403, 404, 400).map((status): Fault => ({ kind: "status", status })) },
  { weight: 6, arbitrary: fc.nat(1200).map((after): Fault => ({ kind: "cut", after })) },
  { weight: 3, arbitrary: fc.integer({ min: -300, max: 300 }).map((by): Fault => ({ kind: "wrong-length", by })) },
  {
    weight: 15,
    arbitrary: fc
      .constantFrom("reset", "slow", "wrong-bytes", "ignores-range", "wrong-range", "web-page" as const)
      .map((kind): Fault => ({ kind })),
  },
  // Rare, since each costs the time that it takes to call a connection dead.
  { weight: 1, arbitrary: fc.nat(600).map((after): Fault => ({ kind: "stall", after })) },
);

test("after any faults the right file is there, or a clear error and never a wrong file", async () => {
  const outcomes = { right: 0, error: 0 };
  const problems = new Set<string>();
  await fc.assert(
    fc.asyncProperty(
      fc.array(faults, { maxLength: 14 }),
      fc.constantFrom(0, 1, 1023, 1024, 1025, 3000),
      fc.integer({ min: 1, max: 4 }),
      async (schedule, bytes, connections) => {
        rmSync(cacheDir, { recursive: true, force: true });
        hub.repositories.set(repository, {
          commit,
          files: { "onnx/model.onnx": content(bytes), "tokenizer.json": tokenizer },
        });
        hub.faults.splice(0, hub.faults.length, ...schedule);
        try {
          const { files } = await pull({ connections, idleTimeoutMs: 60 });
          expect(files.map(({ path }) => readFileSync(path))).toEqual([content(bytes), tokenizer]);
          outcomes.right++;
        } catch (error) {
          if (!(error instanceof HubError)) throw error;
          expect(error.message).toMatch(/^someone\/model-onnx/);
          expect(error.message).not.toMatch(/secret/);
          problems.add(error.problem);
          outcomes.error++;
          // What came is of use: without faults the same pull succeeds.
          hub.faults.length = 0;
          const { files } = await pull({ connections });
          expect(files.map(({ path }) => readFileSync(path))).toEqual([content(bytes), tokenizer]);
        }
        expectOnlyRightFiles();
      },
    ),
    { numRuns: 200, seed: 20261126 },
  );
  expect(outcomes.right).toBeGreaterThan(50);
  expect(outcomes.error).toBeGreaterThan(20);
  expect(problems).toContain("refused");
}, 240_000);
