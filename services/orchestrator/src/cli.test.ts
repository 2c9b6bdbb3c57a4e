import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { descendantsOf, isRunning } from "@ragline/processes";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { RunSummary } from "./core/run-summary.js";
import { directoryOf, documents } from "./run-fixture.js";

const ragline = fileURLToPath(new URL("../bin/ragline.mjs", import.meta.url));
let directory: Awaited<ReturnType<typeof directoryOf>>;

beforeAll(async () => {
  directory = await directoryOf({
    ...Object.fromEntries(Object.entries(documents).map(([name, content]) => [join("input", name), content])),
    "queries.txt": "when is memory given back\n",
  });
});
afterAll(() => directory.remove());

function start(args: readonly string[], env: Record<string, string> = {}, input?: string): ChildProcess {
  const child = spawn(process.execPath, [ragline, ...args], {
    cwd: directory.path,
    env: { ...process.env, RAGLINE_WORKERS: "1", CI: "true", ...env },
    stdio: [input === undefined ? "ignore" : "pipe", "pipe", "pipe"],
  });
  child.stdin?.end(input);
  return child;
}

async function cli(
  args: readonly string[],
  env: Record<string, string> = {},
  input?: string,
): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const child = start(args, env, input);
  if (!child.stdout || !child.stderr) throw new Error("the command has no output");
  const [stdout, stderr, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, "exit") as Promise<[number | null]>,
  ]);
  return { code, stdout, stderr };
}

const quick = ["--ensemble-models", "all-miniLM-l6", "--disable-rerank"];

test("run prints where every value came from, the tables and the trace id, and search answers from what it wrote", async () => {
  const run = await cli(
    [
      "run",
      "--input",
      "input",
      "--output-dir",
      "out",
      "--ensemble-models",
      "all-miniLM-l6",
      "--sparse-models",
      "qdrant-bm25",
    ],
    { EMBEDDER_ENABLE_RERANK: "on" },
  );
  expect(run.stderr).toBe("");
  expect(run.code).toBe(0);
  expect(run.stdout).toMatch(/enable_rerank +true +env: EMBEDDER_ENABLE_RERANK/);
  expect(run.stdout).toMatch(/output_dir +out +cli: --output-dir/);
  expect(run.stdout).toMatch(/fusion +zscore +default/);
  expect(run.stdout).toMatch(/dense +all-miniLM-l6 \((int8|fp32)\)/);
  expect(run.stdout).toMatch(/reranked +\d/);
  expect(run.stdout).toMatch(/trace [0-9a-f]{32}/);

  const answers = await cli(["search", "who gets the memory back when a stream ends", "--run", "out", "--top-k", "2"]);
  expect(answers.stdout).toMatch(/^ 1\. leases\.md {2}Device leases/);
  // Without a query a prompt answers line by line, and a bad line does not end it.
  const asked = await cli(
    ["search", "--run", "out", "--mode", "sparse", "--top", "1", "--filter", "relative_path~search", "--json"],
    {},
    "words\n:filter colour=red\n:filter\n:nonsense\nNumPy header\n",
  );
  expect(asked.stderr).toContain('no chunk has a field "colour" to filter by');
  expect(asked.stderr).toContain('":nonsense" is no command');
  const replies = asked.stdout.trim().split("\n");
  const hitsOf = (line: string) => (JSON.parse(line) as { hits: { metadata: { relative_path: string } }[] }).hits;
  const paths = replies.map((line) => hitsOf(line)[0]?.metadata.relative_path);
  expect(paths).toEqual(["notes/search.txt", "vectors.md"]);
  expect(asked.code).toBe(0);
  const wrong = await cli(["search", "words", "--run", "out", "--filter", "colour"]);
  expect([wrong.code, wrong.stderr]).toEqual([2, expect.stringContaining('"colour" is no filter')]);
});

test("--json prints one object to stdout and everything else to stderr", async () => {
  const { code, stdout, stderr } = await cli([
    "run",
    "--input",
    "input",
    "--output-dir",
    "json",
    "--disable-sparse",
    "--queries",
    "queries.txt",
    "--json",
    ...quick,
  ]);
  expect(code).toBe(0);
  const summary = JSON.parse(stdout) as RunSummary;
  expect(summary.collections[0]?.collection).toBe("input");
  expect(summary.collections[0]?.selfAudit).toEqual([]);
  expect(stderr).toContain("chunk");
});

test.each([
  [["run"], 2, "ragline: there is nothing to do: give documents with --input"],
  [
    ["run", "--input", "input", "--enable-rerank", "--disable-rerank"],
    2,
    "ragline: --enable-rerank and --disable-rerank contradict each other",
  ],
  [["run", "--input", "input", "--rerank-top-k", "many"], 2, "--rerank-top-k"],
  [["run", "--inptu", "input"], 2, "Did you mean --input?"],
  [["run", "--input", "input", "--orchestrator", "127.0.0.1:1"], 1, "orchestrator at 127.0.0.1:1 is not reachable"],
  [["search", "x", "--run", "nowhere"], 2, "no run has finished there"],
  [["serve", "fusion"], 2, "Allowed choices are dense"],
  [["serve", "dense", "--listen", "nonsense"], 2, "nonsense"],
  [["health", "127.0.0.1:1", "--timeout-ms", "200"], 1, "did not tell its health within 200 ms"],
  [["health", "127.0.0.1:1", "--timeout-ms", "soon"], 2, "Give a whole number of milliseconds"],
])("ragline %j exits %i and says why", async (args, code, message) => {
  const result = await cli(args);
  expect(result.stderr).toContain(message);
  expect(result.code).toBe(code);
});

test("a variable with a value that is not allowed is named", async () => {
  const { code, stderr } = await cli(["run", "--input", "input"], { EMBEDDER_ENABLE_SPARSE: "perhaps" });
  expect(code).toBe(2);
  expect(stderr).toContain("EMBEDDER_ENABLE_SPARSE");
});

test("--fail-on degraded exits 3 when a stage was degraded", async () => {
  const args = [
    "run",
    "--input",
    "input",
    "--output-dir",
    "degraded",
    "--ensemble-models",
    "all-miniLM-l6",
    "--disable-sparse",
    "--endpoints",
    "rerank=127.0.0.1:1",
  ];
  expect((await cli([...args, "--fail-on", "degraded"])).code).toBe(3);
  expect((await cli(args)).code).toBe(0);
});

/** Waits until a process has shown some text, and returns all that it has shown; the stream stays open. */
function shows(stream: Readable | null, wanted: string): Promise<string> {
  return new Promise((resolve) => {
    let shown = "";
    stream?.setEncoding("utf8").on("data", (chunk: string) => {
      shown += chunk;
      if (shown.includes(wanted)) resolve(shown);
    });
  });
}

test.runIf(process.platform === "linux").each([
  ["SIGINT", 130],
  ["SIGTERM", 130],
  ["SIGKILL", null],
] as const)("%s in the middle of a run ends all its processes and leaves no file", async (signal, code) => {
  const child = start(["run", "--input", "input", "--output-dir", `stopped-${signal}`, ...quick]);
  const exited = once(child, "exit");
  await shows(child.stdout, "dense   all-miniLM-l6  started");
  const processes = descendantsOf(child.pid ?? 0).map(({ pid }) => pid);
  expect(processes.length).toBeGreaterThan(0);
  child.kill(signal);
  expect((await exited)[0]).toBe(code);
  await expect.poll(() => processes.filter(isRunning)).toEqual([]);
  const left = await readdir(join(directory.path, `stopped-${signal}`));
  expect(left.filter((name) => !name.startsWith("."))).toEqual([]);
  if (signal !== "SIGKILL") expect(left).toEqual([]);
});

test("a run on an orchestrator elsewhere shows its events and ends with its summary", async () => {
  const orchestrator = start(["serve", "orchestrator", "--listen", "127.0.0.1:0"]);
  const log = await shows(orchestrator.stderr, '"address"');
  const [, address = ""] = /"address":"([^"]+)"/.exec(log) ?? [];
  const run = await cli([
    "run",
    "--orchestrator",
    address,
    "--input",
    join(directory.path, "input"),
    "--output-dir",
    join(directory.path, "remote"),
    "--disable-sparse",
    "--workers",
    "1",
    ...quick,
  ]);
  expect(run.stderr).toBe("");
  expect(run.code).toBe(0);
  expect(run.stdout).toMatch(/enable_sparse +false +cli: --disable-sparse/);
  expect(await readdir(join(directory.path, "remote"))).toContain("input_embeddings.npy");
  const exited = once(orchestrator, "exit");
  orchestrator.kill("SIGTERM");
  expect((await exited)[0]).toBe(0);
});
