import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdir, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type Fault, QdrantFixture } from "./qdrant-fixture.js";
import { type RunFixture, runOf, somePoints, toLines } from "./run-fixture.js";
import { UploadError } from "./upload-error.js";
import { type UploadOptions, type UploadReport, uploadRun } from "./upload-run.js";

const points = somePoints(20);
let server: QdrantFixture;
let run: RunFixture;

beforeEach(async () => {
  server = new QdrantFixture();
  await server.listen();
  run = await runOf(points);
});
afterEach(async () => {
  await server.close();
  await run.remove();
});

const quick = { maxBatchPoints: 3, minBackoffMs: 1, timeoutMs: 5000 };

async function upload(options: Partial<UploadOptions> = {}): Promise<UploadReport> {
  return uploadRun(await run.open(), { url: server.url, ...quick, ...options });
}

async function failure(options: Partial<UploadOptions> = {}): Promise<UploadError> {
  const error: unknown = await upload(options).then(
    () => "no failure",
    (thrown: unknown) => thrown,
  );
  if (error instanceof UploadError) return error;
  throw new Error(`not an UploadError: ${String(error)}`);
}

const stored = (name = "notes") => [...(server.collections.get(name)?.points.values() ?? [])];
const sorted = <T extends { readonly id: unknown }>(list: readonly T[]): T[] =>
  [...list].sort((a, b) => (String(a.id) < String(b.id) ? -1 : 1));
const stateFiles = async () => (await readdir(run.dir)).filter((name) => name.startsWith(".ragline"));

test("makes the collection with named vectors and idf for BM25 alone, and brings every point as it is in the file", async () => {
  const progress: string[] = [];
  const report = await upload({ onProgress: ({ phase, done, total }) => progress.push(`${phase} ${done}/${total}`) });
  expect(server.collections.get("notes")?.params).toEqual({
    vectors: { small: { size: 4, distance: "Cosine" } },
    sparse_vectors: { "splade-tiny": {}, "qdrant-bm25": { modifier: "idf" } },
  });
  expect(sorted(stored())).toEqual(sorted(points));
  expect(server.upserts).toEqual([3, 3, 3, 3, 3, 3, 2]);
  expect(report).toMatchObject({
    collection: "notes",
    created: true,
    points: 20,
    batches: 7,
    resumedAt: 0,
    retries: 0,
  });
  expect(report.storedPoints).toBe(20);
  expect(progress[20]).toBe("check 20/20");
  expect(progress.at(-1)).toBe("send 20/20");
  expect(await stateFiles()).toEqual([]);
});

test("a batch ends at its bytes too, and one point larger than that goes alone", async () => {
  await upload({ maxBatchPoints: 1000, maxBatchBytes: 1 });
  expect(server.upserts).toEqual(points.map(() => 1));
});

test("a second upload replaces every point and adds none", async () => {
  await upload();
  const changed = points.map((point) => ({ ...point, payload: { ...point.payload, score: 1 } }));
  await run.replace(toLines(changed));
  expect(await upload()).toMatchObject({ created: false, storedPoints: 20, batches: 7 });
  expect(sorted(stored())).toEqual(sorted(changed));
});

const faults: fc.Arbitrary<Fault> = fc.oneof(
  fc.record({
    kind: fc.constant("status" as const),
    status: fc.constantFrom(429, 500, 502, 503, 504),
    retryAfter: fc.constantFrom("0", "0.01", "soon", new Date(0).toUTCString()),
  }),
  fc.record({ kind: fc.constant("status" as const), status: fc.constantFrom(429, 500, 503) }),
  fc.record({ kind: fc.constant("silence" as const), applied: fc.boolean() }),
  fc.record({ kind: fc.constant("cut" as const), at: fc.constantFrom("body", "before", "after", "answer") }),
  fc.constant({ kind: "acknowledged" as const }),
);

test("whatever goes wrong on the way, nothing is lost, nothing is there twice, and every point is equal", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.option(faults, { nil: undefined }), { maxLength: 24 }),
      fc.integer({ min: 0, max: 8 }),
      async (schedule, retries) => {
        server.collections.clear();
        server.faults.splice(0, Number.POSITIVE_INFINITY, ...schedule);
        // An upload that gives up is made again, as a person would; the faults come to an end.
        for (;;) {
          const outcome = await upload({ retries, timeoutMs: 40 }).catch((error: unknown) => error);
          if (!(outcome instanceof Error)) break;
          expect(outcome).toMatchObject({ reason: "UNAVAILABLE" });
        }
        expect(sorted(stored())).toEqual(sorted(points));
        expect(await stateFiles()).toEqual([]);
      },
    ),
    { seed: 7, numRuns: 60 },
  );
}, 120_000);

test("a connection that is cut after the batch was stored sends it again and changes nothing", async () => {
  server.faults.push(undefined, undefined, { kind: "cut", at: "after" }, undefined, { kind: "cut", at: "body" });
  expect(await upload()).toMatchObject({ retries: 2, storedPoints: 20 });
  expect(server.upserts).toEqual([3, 3, 3, 3, 3, 3, 3, 2]);
  expect(sorted(stored())).toEqual(sorted(points));
});

// "01" shows that the whole header is read, and the date that it may be one.
test.each([["01"], [() => new Date(Date.now() + 2000).toUTCString()]])(
  "Retry-After %s is waited for",
  async (retryAfter) => {
    server.faults.push({ kind: "status", status: 429, retryAfter });
    const startedAt = performance.now();
    const problems: string[] = [];
    await upload({ onRetry: ({ problem }) => problems.push(problem) });
    expect(performance.now() - startedAt).toBeGreaterThan(950);
    expect(problems.map((problem) => problem.slice(0, 15))).toEqual(["it answered 429"]);
  },
);

test("a server that asks to wait for hours is told, not waited for", async () => {
  server.faults.push({ kind: "status", status: 429, retryAfter: "7200" });
  expect((await failure()).message).toContain("asks to wait 120 minutes");
});

test("an upload that was given up goes on where it stopped", async () => {
  const down: Fault[] = Array.from({ length: 3 }, () => ({ kind: "status", status: 503 }));
  server.faults.push(undefined, undefined, undefined, undefined, ...down);
  const error = await failure({ retries: 2 });
  expect(error.message).toMatch(/did not take 3 points for notes: it answered 503, made up 503, also after 2 retries/);
  expect(await stateFiles()).toHaveLength(1);
  expect(await upload()).toMatchObject({ resumedAt: 6, batches: 5, storedPoints: 20 });
  expect(server.upserts).toEqual([3, 3, 3, 3, 3, 3, 2]);
  expect(sorted(stored())).toEqual(sorted(points));
});

async function stopAfter(batches: number): Promise<void> {
  const stop = new AbortController();
  await expect(
    upload({
      signal: stop.signal,
      onProgress: ({ phase, done }) => {
        if (phase === "send" && done >= 3 * batches) stop.abort(new Error("stopped"));
      },
    }),
  ).rejects.toThrow("stopped");
}

test.each<[what: string, meanwhile: () => void | Promise<void>]>([
  ["the run was made anew", () => run.replace(toLines(somePoints(20, 2)))],
  ["the collection is gone", () => server.collections.clear()],
  ["points are gone", () => server.collections.get("notes")?.points.clear()],
  [
    "one point of the sample has other vectors",
    () => void Object.assign(stored()[4] ?? {}, { vector: { small: [1, 0, 0, 0] } }),
  ],
  ["one point of the sample has another payload", () => void Object.assign(stored()[4] ?? {}, { payload: {} })],
  ["the state is damaged", async () => writeFile(join(run.dir, (await stateFiles())[0] ?? ""), '{"confirmed":')],
])("an upload that stopped begins anew when %s", async (_, meanwhile) => {
  await stopAfter(4);
  expect(stored()).toHaveLength(12);
  await meanwhile();
  expect(await upload()).toMatchObject({ resumedAt: 0, storedPoints: 20 });
  const ids: string[] = [];
  for await (const { id } of (await run.open()).readChunks()) ids.push(id);
  expect(new Set(stored().map(({ id }) => id))).toEqual(new Set(ids));
});

test("points that the server lost in the confirmed part are brought again, though the sample has all of its own", async () => {
  const many = somePoints(200);
  await run.replace(toLines(many), { chunks: 200 });
  await stopAfter(40);
  server.collections.get("notes")?.points.delete(many[1]?.id ?? "");
  expect(await upload()).toMatchObject({ resumedAt: 120, storedPoints: 200 });
  expect(sorted(stored())).toEqual(sorted(many));
});

test("kill -9 in the middle, then again: complete, and only the rest is sent", async () => {
  // The third batch is stored, and its answer never comes.
  server.faults.push(...Array<undefined>(5).fill(undefined), { kind: "silence", applied: true });
  const main = fileURLToPath(new URL("../dist/upload-process-fixture.js", import.meta.url));
  const child = spawn(process.execPath, [main, run.dir, server.url], { stdio: "inherit" });
  const exit = once(child, "exit");
  while (server.upserts.length < 3 && child.exitCode === null) await delay(5);
  child.kill("SIGKILL");
  expect(await exit).toEqual([null, "SIGKILL"]);
  expect(stored().length).toBeLessThan(20);
  const report = await upload();
  expect(report.resumedAt).toBeGreaterThan(0);
  expect(report.storedPoints).toBe(20);
  expect(sorted(stored())).toEqual(sorted(points));
});

test("a dry run checks everything and sends nothing", async () => {
  const report = await upload({ dryRun: true });
  expect(report).toMatchObject({ dryRun: true, points: 20, batches: 7, created: false, storedPoints: undefined });
  expect(report.schema.sparse_vectors["qdrant-bm25"]).toEqual({ modifier: "idf" });
  expect(server.requests).toEqual([]);
});

test.each<[what: string, params: unknown, problem: RegExp]>([
  ["size", { vectors: { small: { size: 8, distance: "Cosine" } } }, /small has size 8 there and 4 in the run/],
  [
    "distance",
    { vectors: { small: { size: 4, distance: "Euclid" } } },
    /small has distance Euclid there instead of Cosine/,
  ],
  [
    "name",
    { vectors: { large: { size: 4, distance: "Cosine" } } },
    /no dense vector small; it has a dense vector large/,
  ],
  ["unnamed", { vectors: { size: 4, distance: "Cosine" } }, /one dense vector without a name/],
  [
    "modifier",
    { sparse_vectors: { "splade-tiny": {}, "qdrant-bm25": {} } },
    /qdrant-bm25 has modifier none there instead of idf/,
  ],
  [
    "idf of a learned space",
    { sparse_vectors: { "splade-tiny": { modifier: "idf" }, "qdrant-bm25": { modifier: "idf" } } },
    /splade-tiny has modifier idf there instead of none/,
  ],
  ["no sparse", { sparse_vectors: undefined }, /no sparse vector splade-tiny; it has no sparse vector qdrant-bm25/],
])("a collection that differs in %s is named and left alone; --recreate makes it anew", async (_, params, problem) => {
  await upload({ collection: "other" });
  const fitting = server.collections.get("other")?.params ?? { vectors: {} };
  server.collections.set("notes", { params: { ...fitting, ...(params as object) }, points: new Map() });
  const error = await failure();
  expect(error.reason).toBe("COLLECTION_DIFFERS");
  expect(error.message).toMatch(problem);
  expect(error.message).toContain("--recreate");
  expect(stored()).toEqual([]);
  expect(await upload({ recreate: true })).toMatchObject({ created: true, storedPoints: 20 });
  expect(server.collections.get("notes")?.params).toEqual(fitting);
});

test("points of something else in the collection are counted in the error", async () => {
  await upload();
  server.collections.get("notes")?.points.set(7, { id: 7, vector: {} });
  const error = await failure();
  expect(error.reason).toBe("COUNT_DIFFERS");
  expect(error.message).toMatch(/all 20 points of the run and 1 that are not of it/);
});

const line = (change: object) => toLines([...points.slice(0, 19), { ...points[19], ...change }]);
const sparse = (indices: number[], values: number[]) =>
  line({ vector: { ...points[19]?.vector, "qdrant-bm25": { indices, values } } });

test.each<[what: string, lines: string, problem: RegExp]>([
  ["unknown key", line({ vectors: {} }), /line 20 has the unknown key vectors/],
  ["row number as id", line({ id: 19 }), /line 20 has an id that is not a UUID/],
  ["no dense vector", line({ vector: {} }), /line 20 has no vector small of finite numbers/],
  ["size", line({ vector: { small: [1, 0, 0] } }), /vector small of 3 numbers instead of 4/],
  ["infinite", line({ vector: { small: [1e39, 0, 0, 0] } }), /no vector small of finite numbers/],
  ["unknown space", line({ vector: { ...points[19]?.vector, huge: [1] } }), /a vector huge that the run has not/],
  ["index twice", sparse([3, 3], [1, 1]), /vector qdrant-bm25 that has an index twice/],
  ["negative index", sparse([-3], [1]), /whole number from 0 to 4294967295/],
  ["lengths", sparse([3], [1, 1]), /has 1 indices and 2 values/],
  ["cut line", toLines(points).slice(0, -20), /not valid JSON in line 20/],
  ["missing line", toLines(points.slice(0, 19)), /has 19 points, but the run has 20 chunks/],
  ["id twice", toLines([...points.slice(0, 19), points[3]]), /two points with one id/],
])("a damaged file is found before anything is sent: %s", async (_, lines, problem) => {
  await run.replace(lines);
  const error = await failure();
  expect(error.reason).toBe("INVALID_RUN");
  expect(error.message).toMatch(problem);
  expect(server.requests).toEqual([]);
});

test("a file that is not the one the manifest lists is not sent", async () => {
  await run.replace(toLines(points), { listed: false });
  expect((await failure()).message).toMatch(/is not the file that the manifest lists/);
});

test("the key goes out as a header and into no message; a missing or wrong one is said", async () => {
  server.requiredKey = "s3cret-key";
  expect((await failure()).message).toMatch(/refused to look for the collection notes \(401\)\. Set QDRANT_API_KEY\.$/);
  const wrong = await failure({ apiKey: "wr0ng-key" });
  expect(wrong.reason).toBe("UNAUTHORIZED");
  expect(wrong.message).toMatch(/Check the value of QDRANT_API_KEY/);
  expect(wrong.message).not.toContain("wr0ng-key");
  await upload({ apiKey: "s3cret-key" });
  expect(server.keys.at(-1)).toBe("s3cret-key");
  const elsewhere = { url: "http://qdrant.example", dryRun: true };
  expect((await upload({ ...elsewhere, apiKey: "s3cret-key" })).warnings).toEqual([
    expect.stringMatching(/^The API key goes to http:\/\/qdrant\.example:6333 without encryption/),
  ]);
  expect((await upload(elsewhere)).warnings).toEqual([]);
  const broken = await failure({ apiKey: "s3cret\nkey" });
  expect(broken.reason).toBe("INVALID_ARGUMENT");
  expect(broken.message).not.toContain("s3cret");
});

test.each([
  ["localhost:6333", /takes an http or https URL/],
  ["ftp://qdrant", /takes an http or https URL/],
  ["", /takes an http or https URL/],
  ["http://user:hunter2@qdrant:6333", /has a user, a password/],
  ["http://qdrant:6333/?api-key=hunter2", /a query or a fragment/],
])("url %j is refused in a sentence", async (url, problem) => {
  const error = await failure({ url });
  expect(error.reason).toBe("INVALID_ARGUMENT");
  expect(error.message).toMatch(problem);
  expect(error.message).not.toContain("hunter2");
});

test("a collection's name cannot lead elsewhere", async () => {
  await expect(upload({ collection: "../cluster" })).rejects.toThrow(/name of the collection/);
});

test("a server that is not there is said after a few attempts", async () => {
  await server.close();
  const error = await failure();
  expect(error.reason).toBe("UNAVAILABLE");
  expect(error.message).toMatch(/No Qdrant server answers at .*ECONNREFUSED.*Start it, or check --url/);
  await server.listen();
});

test.each<[what: string, status: number, headers: Record<string, string>, body: string, problem: RegExp]>([
  ["another server", 200, { "content-type": "text/html" }, "<html>", /is no Qdrant server/],
  [
    "another API",
    200,
    { "content-type": "application/json" },
    '{"result":{"config":{"params":{"vectors":3}}}}',
    /is no Qdrant server/,
  ],
  ["redirect", 302, { location: "http://127.0.0.1:1/" }, "", /it answered 302\. It points to another address/],
  ["bad request", 400, {}, '{"status":{"error":"Bad\\n name."}}', /it answered 400, Bad name\. Check/],
])("%s is a sentence", async (_, status, headers, body, problem) => {
  const other = createServer((__, response) => response.writeHead(status, headers).end(body));
  await new Promise<void>((resolve) => other.listen(0, "127.0.0.1", resolve));
  try {
    const error = await failure({ url: `http://127.0.0.1:${(other.address() as AddressInfo).port}` });
    expect(error.reason).toBe("REFUSED");
    expect(error.message).toMatch(problem);
  } finally {
    other.closeAllConnections();
    other.close();
  }
});

test("a server that does not answer in time is said", async () => {
  server.faults.push(undefined, { kind: "silence", applied: false });
  expect((await failure({ retries: 0, timeoutMs: 300 })).message).toMatch(
    /did not make the collection notes: it did not answer within 0\.3 s, also after 0 retries/,
  );
});

test("a request that is too large for the server says what to change", async () => {
  server.faults.push(undefined, undefined, { kind: "status", status: 413 });
  expect((await failure()).message).toMatch(/it answered 413, made up 413\. Give a smaller --batch-points/);
});
