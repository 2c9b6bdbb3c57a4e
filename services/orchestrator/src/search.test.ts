import { spawn } from "node:child_process";
import { once } from "node:events";
import { truncate } from "node:fs/promises";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { SearchHit } from "./core/search-session.js";
import { directoryOf } from "./run-fixture.js";

const ragline = fileURLToPath(new URL("../bin/ragline.mjs", import.meta.url));
let directory: Awaited<ReturnType<typeof directoryOf>>;

const things = ["bridge", "violin", "glacier", "beehive", "steam engine", "lighthouse", "orchard", "telescope"];
const actions = ["is repaired", "was invented", "freezes", "is painted", "makes a sound"];
const places = ["in spring", "by the sea", "in the mountains", "at night", "near Oslo", "under water"];
/** 240 sentences, each of them once. */
const sentences = things.flatMap((thing) =>
  actions.flatMap((action) => places.map((place) => `The ${thing} ${action} ${place}.`)),
);
const questions = sentences.filter((_, i) => i % 24 === 0).map((sentence) => `tell me when ${sentence.toLowerCase()}`);

async function cli(
  args: readonly string[],
  input = "",
): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const child = spawn(process.execPath, [ragline, ...args], {
    cwd: directory.path,
    env: { ...process.env, RAGLINE_WORKERS: "1", CI: "true" },
  });
  child.stdin.end(input);
  const [stdout, stderr, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, "exit") as Promise<[number | null]>,
  ]);
  return { code, stdout, stderr };
}

/** The answers to lines at the prompt, by one process. */
async function ask(flags: readonly string[], lines: readonly string[] = questions): Promise<SearchHit[][]> {
  const { stdout, stderr, code } = await cli(["search", "--run", "out", "--json", ...flags], lines.join("\n"));
  expect(stderr.replace(/^reading 240 chunks .*\n/u, "")).toBe("");
  expect(code).toBe(0);
  return stdout
    .trim()
    .split("\n")
    .map((line) => (JSON.parse(line) as { hits: SearchHit[] }).hits);
}

beforeAll(async () => {
  const chunks = sentences.map((sentence, i) => ({ text: sentence, metadata: { chunk_id: `c${i}`, number: i } }));
  directory = await directoryOf({ "chunks/things/a_chunks.json": JSON.stringify(chunks) });
  const models = ["--ensemble-models", "all-miniLM-l6", "--sparse-models", "qdrant-bm25", "--disable-rerank"];
  const flags = ["--faiss-index", "hnsw", "--audit-queries", "0", "--no-report"];
  const run = await cli(["run", "--chunked-dir", "chunks", "--output-dir", "out", ...models, ...flags]);
  if (run.code !== 0) throw new Error(run.stderr);
}, 120_000);
afterAll(() => directory.remove());

test("the graph of a run finds what comparing every vector finds, and is used", async () => {
  // A filter needs every vector.
  const answers = await ask(["--mode", "dense"], [...questions, ":filter number<12", "a violin"]);
  const [byGraph, filtered] = [answers.slice(0, -1), answers.at(-1)];
  const exact = await ask(["--mode", "dense", "--exact"]);
  const found = exact.flatMap((hits, q) => {
    const rows = new Set(byGraph[q]?.map(({ row }) => row));
    return hits.map(({ row }): number => (rows.has(row) ? 1 : 0));
  });
  expect(found).toHaveLength(10 * questions.length);
  expect(found.reduce((sum, one) => sum + one, 0) / found.length).toBeGreaterThanOrEqual(0.95);
  expect(filtered?.map(({ metadata }) => Number(metadata["number"]) < 12)).toEqual(Array<boolean>(10).fill(true));

  await truncate(join(directory.path, "out/things_index.faiss"), 100);
  const broken = await cli(["search", "--run", "out", "--mode", "dense", "--json"], "a violin\n:top 3\na bridge\n");
  expect(broken.stderr).toContain("things_index.faiss ends in the middle of its graph");
  const replies = broken.stdout.trim().split("\n");
  expect(replies.map((line) => (JSON.parse(line) as { query: string; error: object }).query)).toEqual([
    "a violin",
    "a bridge",
  ]);
});

test("a search ranks as the run did, or as it is told", async () => {
  const rowsOf = (answers: SearchHit[][]) => answers.map((hits) => hits.map(({ row }) => row));
  const asMade = await ask(["--exact", "--top", "5"]);
  const rrf = await ask(["--exact", "--fusion", "rrf", "--fusion-weights", "dense=2,bm25=1"]);
  const first = rrf.flat().find(({ sources }) => Object.values(sources).every(({ rank }) => rank === 1));
  expect(Object.keys(first?.sources ?? {})).toHaveLength(2);
  expect(first?.score).toBeCloseTo(3 / 61, 12);

  // A flag of reranking asks for it, although the run was made without.
  const rerank = ["--exact", "--top", "5", "--rerank-candidates", "3"];
  const [none, all] = [await ask([...rerank, "--rerank-mix", "0"]), await ask([...rerank, "--rerank-mix", "1"])];
  expect(rowsOf(none)).toEqual(rowsOf(asMade));
  for (const hits of all) {
    const scores = hits.map(({ rerankScore }) => rerankScore);
    expect(scores.slice(3)).toEqual([undefined, undefined]);
    expect(scores.slice(0, 3)).toEqual(scores.slice(0, 3).toSorted((a = 0, b = 0) => b - a));
  }
});

test.each([
  [["--fusion-weights", "colbert=2"], 'no list "colbert" to weigh; there are dense, sparse, bm25, all-miniLM-l6'],
  [["--rerank-mix", "1.5"], '--rerank-mix is "1.5"; expected a number from 0 to 1'],
  [["--rerank-model", "nobody"], "nobody"],
])("search with %j is told what is wrong", async (flags, message) => {
  const { code, stderr, stdout } = await cli(["search", "a violin", "--run", "out", "--json", ...flags]);
  expect(stderr).toContain(message);
  expect((JSON.parse(stdout) as { error: { message: string } }).error.message).toContain(message);
  expect(code).toBe(2);
});
