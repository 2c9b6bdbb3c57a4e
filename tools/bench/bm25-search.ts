import { spawn } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { Bm25, countWords } from "@ragline/lexical";
import { InvertedIndex, type Postings, PostingsBuilder } from "@ragline/retrieval";
import type { Findings } from "./report.js";
import { type BenchContext, fromRoot } from "./run-benchmark.js";
import { searchTexts } from "./search-corpus.js";
import { ratioOf, spreadOf } from "./statistics.js";

const k = 100;

/** bm25s in a process of its own; undefined where Python or a module is missing. */
async function startBm25s(file: string) {
  const python = process.env.RAGLINE_PYTHON ?? "python3";
  const child = spawn(python, [fromRoot("tools/bench/bm25s_peer.py"), file], { stdio: ["pipe", "pipe", "ignore"] });
  child.on("error", () => undefined);
  child.stdin.on("error", () => undefined);
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const next = async (): Promise<unknown> => {
    const { value, done } = await lines.next();
    return done === true ? undefined : JSON.parse(value);
  };
  const hello = (await next()) as { version: string } | undefined;
  if (hello === undefined) return undefined;
  return {
    version: hello.version,
    round: () => {
      child.stdin.write("\n");
      return next() as Promise<{ seconds: number; first: number[] }>;
    },
    close: () => child.stdin.end(),
  };
}

function postingsOf(texts: readonly string[], bm25: Bm25): Postings {
  const builder = new PostingsBuilder();
  for (const text of texts) {
    const { vector } = bm25.document(text);
    builder.add(vector.indices, vector.values);
  }
  return builder.build();
}

/** BM25 against bm25s over the same texts, in seconds of the processor; both tokenise and stem the queries. */
export async function measureBm25Search(context: BenchContext, rows: number): Promise<Findings> {
  const { rounds, limit, dataDir, folder, say } = context;
  const { texts, queries } = await searchTexts(dataDir, Math.min(rows, limit ?? rows));
  const depth = Math.min(k, texts.length);
  const bm25 = new Bm25({ averageLength: texts.reduce((sum, text) => sum + countWords(text), 0) / texts.length });
  const index = new InvertedIndex(postingsOf(texts, bm25));
  const search = () => {
    const vectors = queries.map((query) => bm25.query(query).vector);
    return index.search(vectors, { k: depth, modifier: "idf" }).map((list) => list[0]?.row);
  };
  const file = join(folder, "corpus.json");
  await writeFile(file, JSON.stringify({ texts, queries, k: depth }));
  const peer = await startBm25s(file);
  const expected = search();
  await peer?.round();
  const ours: number[] = [];
  const theirs: number[] = [];
  let same = 0;
  for (let round = 0; round < rounds; round++) {
    const startedAt = process.cpuUsage();
    search();
    const { user, system } = process.cpuUsage(startedAt);
    ours.push(queries.length / ((user + system) / 1e6));
    const answer = await peer?.round();
    if (answer === undefined) continue;
    theirs.push(queries.length / answer.seconds);
    same = answer.first.filter((row, q) => row === expected[q]).length;
    say(`BM25, round ${round + 1} of ${rounds}`);
  }
  peer?.close();
  const own = { name: `BM25, ${texts.length} texts, top ${depth}, one thread`, unit: "queries/CPU-s" };
  if (peer === undefined)
    return {
      figures: [{ ...own, ...spreadOf(ours) }],
      notes: [
        "bm25s is not installed for python3 (RAGLINE_PYTHON names another): pip install bm25s==0.3.16 PyStemmer==3.1.0",
      ],
    };
  return {
    figures: [
      { ...own, ...spreadOf(ours) },
      { name: `bm25s ${peer.version}, one thread`, unit: "queries/CPU-s", ...spreadOf(theirs) },
      { name: "ours / bm25s", unit: "", ...ratioOf(ours, theirs), aim: { atLeast: 1 } },
    ],
    notes: [
      `BM25: the same text is first for ${same} of ${queries.length} queries; both tokenise and stem the queries`,
    ],
  };
}
