import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { json, text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { directoryOf, documents, runHere } from "../run-fixture.js";

const ragline = fileURLToPath(new URL("../../bin/ragline.mjs", import.meta.url));
let directory: Awaited<ReturnType<typeof directoryOf>>;
let server: Server;
let url: string;
/** Ids of the points of each collection; undefined vectors mean that there is none. */
let stored: Set<string> | undefined;
const key = "s3cret-key";

// As little of Qdrant as a good upload needs; the library's own tests have the strict stand-in with faults.
beforeAll(async () => {
  directory = await directoryOf(
    Object.fromEntries(Object.entries(documents).map(([name, content]) => [join("input", name), content])),
  );
  await runHere({
    input: [join(directory.path, "input")],
    outputDir: join(directory.path, "out"),
    ensembleModels: ["all-miniLM-l6"],
    sparseModels: ["qdrant-bm25"],
    enableRerank: false,
  });
  let params: unknown;
  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const body = request.method === "GET" ? undefined : await json(request);
    const answer = (status: number, result: unknown) =>
      response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify({ result, status: "ok" }));
    if (request.headers["api-key"] !== key) answer(401, null);
    else if (request.method === "GET") answer(stored ? 200 : 404, { config: { params } });
    else if (request.url?.endsWith("/count")) answer(200, { count: stored?.size });
    else if (request.url?.includes("/points")) {
      for (const { id } of (body as { points: { id: string }[] }).points) stored?.add(id);
      answer(200, { status: "completed" });
    } else {
      params = body;
      stored = new Set();
      answer(200, true);
    }
  };
  server = createServer((request, response) => {
    serve(request, response).catch(() => response.destroy());
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}, 60_000);
afterAll(async () => {
  server.close();
  await directory.remove();
});

async function upload(
  args: readonly string[],
  apiKey = key,
): Promise<{ code: number; stdout: string; stderr: string }> {
  const child = spawn(process.execPath, [ragline, "upload", "--run", "out", "--url", url, ...args], {
    cwd: directory.path,
    env: { ...process.env, CI: "true", QDRANT_API_KEY: apiKey },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const [stdout, stderr, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, "exit") as Promise<[number]>,
  ]);
  expect(stdout + stderr).not.toContain(key);
  return { code, stdout, stderr };
}

test("a dry run says what would be made; an upload makes it and says so; --json is one object", async () => {
  const dry = await upload(["--dry-run"]);
  expect(dry.stderr).toBe("");
  expect(dry.stdout).toMatch(/^Dry run: 3 points .* are sound and would go to the collection input at http/m);
  expect(dry.stdout).toMatch(/^ {2}qdrant-bm25 {2}sparse, modifier idf$/m);
  expect(stored).toBeUndefined();
  const made = await upload(["--batch-points", "2"]);
  expect(made.code).toBe(0);
  expect(made.stdout).toMatch(/was made and holds all 3 points \(.*, 2 requests/);
  const again = await upload(["--json"]);
  expect(JSON.parse(again.stdout)).toMatchObject({ created: false, points: 3, storedPoints: 3, batches: 1 });
  expect(again.stderr).toMatch(/^check {3}started, 3 points$/m);
});

test.each<[what: string, args: string[], apiKey: string, code: number, sentence: RegExp]>([
  [
    "wrong key",
    [],
    "other",
    2,
    /refused to look for the collection input \(401\)\. Check the value of QDRANT_API_KEY\.$/m,
  ],
  ["no key", [], "", 2, /Set QDRANT_API_KEY\.$/m],
  ["bad url", ["--url", "localhost:6333"], key, 2, /--url takes an http or https URL/],
  [
    "nobody there",
    ["--url", "http://127.0.0.1:4"],
    key,
    1,
    /No Qdrant server answers at http:\/\/127\.0\.0\.1:4: .*ECONNREFUSED/,
  ],
  ["no run", ["--run", "nowhere"], key, 2, /no run has finished there/],
  ["bad number", ["--batch-points", "0"], key, 2, /whole number from 1 to 10000/],
  ["bad name", ["--collection", "a/b"], key, 2, /name of the collection "a\/b" has a path separator/],
])("%s is a sentence and the right exit code", async (_, args, apiKey, code, sentence) => {
  const result = await upload(args, apiKey);
  expect(result.stderr).toMatch(sentence);
  expect(result.stderr).not.toMatch(/^ +at /m);
  expect(result.code).toBe(code);
});
