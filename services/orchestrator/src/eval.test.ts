import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { findModel, type GraphModelEntry } from "@ragline/models";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { EvaluationReport } from "./core/eval/evaluation-report.js";
import { directoryOf } from "./run-fixture.js";
import { expectWhole, readTraceFile } from "./trace-file.fixture.js";

const ragline = fileURLToPath(new URL("../bin/ragline.mjs", import.meta.url));
let directory: Awaited<ReturnType<typeof directoryOf>>;

const corpus = [
  ["wing", "Lift of a wing", "The lift of a wing grows with its angle of attack until the flow separates."],
  ["bread", "Bread", "Dough of flour, water and yeast is baked in a hot oven until the crust is brown."],
  ["moon", "The moon", "The moon raises the tides of the sea twice a day by its gravity."],
  ["bees", "Bees", "Bees dance to tell each other where flowers with nectar can be found."],
];

beforeAll(async () => {
  const lines = (records: object[]) => records.map((record) => `${JSON.stringify(record)}\n`).join("");
  const queries = [
    { _id: "q1", text: "why does the sea rise and fall" },
    { _id: "q2", text: "how is a loaf made" },
    { _id: "q3" },
  ];
  directory = await directoryOf({
    "tiny/corpus.jsonl": lines(corpus.map(([_id, title, content]) => ({ _id, title, text: content }))),
    "tiny/queries.jsonl": lines(queries),
    "tiny/qrels/test.tsv": "query-id\tcorpus-id\tscore\nq1\tmoon\t1\nq2\tbread\t1\nq2\tgone\t1\nq3\tbees\t1\n",
    "other/corpus.jsonl": lines([{ _id: "x", text: "something else" }]),
    "other/queries.jsonl": lines([{ _id: "q1", text: "something" }]),
    "other/qrels/test.tsv": "q1\tx\t1\n",
    "a.run": "q1 Q0 moon 1 2 a\nq1 Q0 bees 2 1 a\nq1 Q0 bees 3 0 a\nq2 Q0 bread 1 2 a\n",
    "b.run": "q1 Q0 bees 1 2 b\nq1 Q0 moon 2 1 b\nq9 Q0 moon 1 1 b\n",
    "nan.run": "q1 Q0 moon 1 nan a\n",
  });
});
afterAll(() => directory.remove());

async function evaluate(...args: string[]): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const child = spawn(process.execPath, [ragline, "eval", ...args], {
    cwd: directory.path,
    env: { ...process.env, RAGLINE_WORKERS: "1", XDG_CACHE_HOME: join(directory.path, "cache") },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const [stdout, stderr, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, "exit") as Promise<[number | null]>,
  ]);
  return { code, stdout, stderr };
}

const models = ["--ensemble-models", "all-miniLM-l6", "--sparse-models", "qdrant-bm25"];

test("a data set alone is embedded once; every mode is measured, and the report has the same bytes again", async () => {
  const first = await evaluate(
    "--dataset",
    "tiny",
    ...models,
    "--json",
    "--trec-dir",
    "trec",
    "--trace-file",
    "eval.trace.json",
  );
  expect(first.stderr).toContain("tiny: 4 documents");
  expect(first.code).toBe(0);
  const report = JSON.parse(first.stdout) as EvaluationReport;
  expect(report.dataset).toEqual({ name: "tiny", format: "beir", split: "test", queries: 2, judgements: 3 });
  expect(report.modes.map(({ name }) => name)).toEqual(["all-miniLM-l6", "qdrant-bm25", "fused", "reranked"]);
  const dense = report.modes[0];
  expect(dense?.perQuery["MRR@10"]).toEqual([1, 1]);
  expect(dense?.perQuery["Recall@10"]).toEqual([1, 0.5]);
  expect(report.comparisons.map(({ a, b }) => `${b} - ${a}`)).toEqual(["fused - all-miniLM-l6", "reranked - fused"]);
  expect(report.warnings.map(({ kind }) => kind)).toEqual(["query-without-text", "judged-document-missing"]);
  expect(report.run).toMatchObject({ fusion: { method: "zscore", weights: { "all-miniLM-l6": 2, "qdrant-bm25": 1 } } });

  // The run that embeds the data set is a part of the evaluation's trace.
  const spans = await readTraceFile(join(directory.path, "eval.trace.json"));
  expectWhole(spans, "rag.eval");
  const [root] = spans;
  const steps = spans.filter(({ parentSpanId }) => parentSpanId === root?.spanId).map(({ name }) => name);
  expect(steps).toEqual(["rag.run", "rag.dense", "rag.sparse", "rag.fusion", "rag.rerank"]);
  const services = new Set(spans.map(({ service }) => service));
  for (const stage of ["dense", "sparse", "rerank", "export"]) expect(services).toContain(`ragline-${stage}`);
  expect(JSON.stringify(spans)).not.toMatch(/rise and fall|loaf|tides of the sea/);

  const second = await evaluate("--dataset", "tiny", ...models, "--json");
  expect(second.stderr).toContain("embedded already");
  expect(second.stdout).toBe(first.stdout);

  // The files that were written measure the same.
  expect((await readdir(join(directory.path, "trec"))).sort()).toEqual([
    "all-miniLM-l6.run",
    "fused.run",
    "qdrant-bm25.run",
    "qrels.txt",
    "reranked.run",
  ]);
  expect(await readFile(join(directory.path, "trec/qrels.txt"), "utf8")).toContain("q2 0 gone 1\n");
  const files = await evaluate("--dataset", "tiny", "--trec-run", "trec/fused.run", "--json");
  const { modes } = JSON.parse(files.stdout) as EvaluationReport;
  expect(modes[0]?.perQuery).toEqual(report.modes[2]?.perQuery);

  // A run of another collection is no run of this one.
  const run = join(
    directory.path,
    "cache/ragline/eval",
    (await readdir(join(directory.path, "cache/ragline/eval")))[0] ?? "",
    "run",
  );
  const wrong = await evaluate("--dataset", "other", "--run", run);
  expect(wrong.stderr).toContain(
    'the run is of the collection "tiny", and none of its 4 chunks names a document of other',
  );
  expect(wrong.code).toBe(2);
  const fused = await evaluate("--dataset", "tiny", "--compare", "b.run", `${run}#fused`, "--metrics", "MAP");
  expect(fused.stdout).toMatch(/run#fused - b\.run +MAP +\+0\./);
  const both = await evaluate("--dataset", "tiny", "--compare", `${run}#qdrant-bm25`, `${run}#fused`, "--json");
  const compared = JSON.parse(both.stdout) as EvaluationReport;
  const names = ["#all-miniLM-l6", "#qdrant-bm25", "#fused"];
  expect(compared.modes.map(({ name }) => name.replace(run, ""))).toEqual(names);
  expect(compared.comparisons.map(({ b }) => b)).toEqual([`${run}#fused`]);
}, 300_000);

test("a data set of one document is measured; a model under another entry is another one", async () => {
  const flags = ["--ensemble-models", "mine", "--disable-sparse", "--disable-rerank", "--json"];
  const entry = (passage: string) => {
    const { huggingFaceId, ...rest } = structuredClone(findModel("all-miniLM-l6", "dense")) as GraphModelEntry;
    return { ...rest, huggingFaceId, key: "mine", aliases: [], prefixes: { query: "", passage } };
  };
  const write = (passage: string) =>
    writeFile(join(directory.path, "config/embedder.json"), JSON.stringify({ models: [entry(passage)] }));
  await mkdir(join(directory.path, "config"));
  await write("");
  const first = await evaluate("--dataset", "other", ...flags);
  expect(first.stderr).not.toContain("embedded already");
  expect(first.code).toBe(0);
  const { modes } = JSON.parse(first.stdout) as EvaluationReport;
  expect(modes.map(({ name, metrics }) => [name, metrics["nDCG@10"]?.mean])).toEqual([
    ["mine", 1],
    ["fused", 1],
  ]);
  await write("passage: ");
  expect((await evaluate("--dataset", "other", ...flags)).stderr).not.toContain("embedded already");
}, 300_000);

test("two run files are compared without any model, and drawn as a page", async () => {
  const report = ["--report", "pages/tiny.html"];
  const { stdout, stderr, code } = await evaluate("--dataset", "tiny", "--compare", "a.run", "b.run", ...report);
  const path = join(directory.path, "pages/tiny.html");
  expect(stderr).toBe(`report: ${path}\n`);
  const page = await readFile(path, "utf8");
  expect(page).toContain("Queries that b.run does better and worse on than a.run");
  for (const word of ["the sea", "a loaf"]) expect(page).not.toContain(word);
  expect(code).toBe(0);
  expect(stdout).toMatch(/tiny \(beir, test\): 2 queries, 3 judgements/);
  expect(stdout).toMatch(/b\.run - a\.run +MRR@10 +-0\.7500 /);
  expect(stdout).toContain("a.run: 1 lines repeat a document of a query; the highest score counts");
  expect(stdout).toContain("b.run lacks 1 judged queries; they count 0");
  expect(stdout).toContain("b.run has 1 queries without a judgement; they count nowhere");
});

test.each([
  [["--dataset", "nowhere"], "nowhere: is no directory"],
  [["--dataset", "tiny", "--split", "dev"], 'no judgements of the split "dev": there are test'],
  [["--dataset", "tiny", "--trec-run", "nan.run"], 'nan.run, line 1: the score "nan" is not a finite number'],
  [
    ["--dataset", "other", "--trec-run", "a.run"],
    "none of its documents is of other; is it a run of another collection?",
  ],
  [["--dataset", "tiny", "--trec-run", "a.run", "--metrics", "F1"], '"F1" is no metric'],
  [["--dataset", "tiny", "--compare", "a.run"], "--compare takes two rankings, not 1"],
  [
    ["--dataset", "tiny", "--trec-run", "a.run", "--compare", "a.run", "fuzed"],
    'there is no ranking "fuzed" to compare',
  ],
  [["--dataset", "tiny", "--depth", "0"], "Give a whole number of 1 or more"],
])("%j is told what is wrong", async (args, message) => {
  const { code, stderr } = await evaluate(...args);
  expect(stderr).toContain(message);
  expect(code).toBe(2);
});
