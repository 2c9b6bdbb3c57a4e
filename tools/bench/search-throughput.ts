// Search in queries a second: dense vectors against usearch's exact search, BM25 against bm25s, each on the same data.
import { spawn } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { documentText, openDataset } from "@ragline/evaluation";
import { Bm25, countWords } from "@ragline/lexical";
import { DenseIndex, InvertedIndex, PostingsBuilder } from "@ragline/retrieval";
import type { Figure } from "./report.js";
import { type BenchContext, fromRoot, runBenchmark } from "./run-benchmark.js";
import { ratioOf, spreadOf } from "./statistics.js";

const columns = 384;
const defaultRows = 100_000;
const denseQueries = 32;
const k = 100;

interface UsearchModule {
  exactSearch(
    dataset: Float32Array,
    queries: Float32Array,
    dimensions: number,
    count: number,
    metric: string,
    threads: number,
  ): { readonly keys: BigUint64Array };
}

interface Part {
  readonly figures: readonly Figure[];
  readonly notes: readonly string[];
}

/** Unit vectors from a fixed seed: the same on every machine. */
function unitVectors(count: number, seed: number): Float32Array {
  const values = new Float32Array(count * columns);
  let state = seed;
  for (let row = 0; row < count; row++) {
    let squares = 0;
    for (let i = row * columns; i < (row + 1) * columns; i++) {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0;
      values[i] = state / 2 ** 31;
      squares += (values[i] ?? 0) ** 2;
    }
    const norm = Math.sqrt(squares);
    for (let i = row * columns; i < (row + 1) * columns; i++) values[i] = (values[i] ?? 0) / norm;
  }
  return values;
}

async function seconds(work: () => void | Promise<void>): Promise<number> {
  const startedAt = performance.now();
  await work();
  return (performance.now() - startedAt) / 1000;
}

async function measureDense({ rounds, limit, say }: BenchContext): Promise<Part> {
  const rows = limit ?? defaultRows;
  const corpus = unitVectors(rows, 1);
  const queries = unitVectors(denseQueries, 2);
  const index = await DenseIndex.load([{ firstIndex: 0, columns, values: corpus }], rows, columns);
  const name = "usearch";
  const usearch = await import(name).then(
    (module) => module as unknown as UsearchModule,
    () => undefined,
  );
  const ours: number[] = [];
  const theirs: number[] = [];
  const queryAt = (q: number) => queries.subarray(q * columns, (q + 1) * columns);
  let same = 0;
  // Once beforehand: the compiler's own time is not that of a search.
  for (let q = 0; q < denseQueries; q++) index.search(queryAt(q), { k });
  for (let round = 0; round < rounds; round++) {
    const found: number[] = [];
    ours.push(
      denseQueries /
        (await seconds(() => {
          for (let q = 0; q < denseQueries; q++) found.push(index.search(queryAt(q), { k })[0]?.row ?? -1);
        })),
    );
    if (usearch === undefined) continue;
    const first: number[] = [];
    theirs.push(
      denseQueries /
        (await seconds(() => {
          for (let q = 0; q < denseQueries; q++)
            first.push(Number(usearch.exactSearch(corpus, queryAt(q).slice(), columns, k, "ip", 1).keys[0]));
        })),
    );
    same = first.filter((row, q) => row === found[q]).length;
    say(`dense, round ${round + 1} of ${rounds}`);
  }
  const size = `${rows} x ${columns}, top ${k}`;
  const figures: Figure[] = [
    { name: `dense exact, one thread, ${size}`, unit: "queries/s", ...spreadOf(ours) },
    {
      name: "dense, milliseconds for one query",
      unit: "ms",
      ...spreadOf(ours.map((rate) => 1000 / rate)),
      aim: { atMost: 100 },
    },
  ];
  if (usearch === undefined)
    return {
      figures,
      notes: [
        "usearch is not installed; install it for this once with: npm i --no-save --ignore-scripts usearch@2.25.3",
      ],
    };
  figures.push({ name: "usearch exactSearch, one thread", unit: "queries/s", ...spreadOf(theirs) });
  figures.push({ name: "ours / usearch", unit: "", ...ratioOf(ours, theirs), aim: { atLeast: 1 } });
  return { figures, notes: [`dense: the same row is first for ${same} of ${denseQueries} queries`] };
}

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

async function measureSparse({ rounds, limit, dataDir, folder, say }: BenchContext): Promise<Part> {
  const dataset = await openDataset(join(dataDir, "scifact"));
  const texts: string[] = [];
  for await (const document of dataset.documents())
    if (texts.length < (limit ?? Infinity)) texts.push(documentText(document));
  const queries = dataset.queries.map(({ text }) => text);
  const averageLength = texts.reduce((sum, text) => sum + countWords(text), 0) / texts.length;
  const bm25 = new Bm25({ averageLength });
  const builder = new PostingsBuilder();
  for (const text of texts) {
    const { vector } = bm25.document(text);
    builder.add(vector.indices, vector.values);
  }
  const index = new InvertedIndex(builder.build());
  const depth = Math.min(k, texts.length);
  const file = join(folder, "corpus.json");
  await writeFile(file, JSON.stringify({ texts, queries, k: depth }));
  const peer = await startBm25s(file);
  const ours: number[] = [];
  const theirs: number[] = [];
  let same = 0;
  const search = () => {
    const vectors = queries.map((query) => bm25.query(query).vector);
    return index.search(vectors, { k: depth, modifier: "idf" }).map((list) => list[0]?.row);
  };
  search();
  await peer?.round();
  for (let round = 0; round < rounds; round++) {
    let first: (number | undefined)[] = [];
    ours.push(
      queries.length /
        (await seconds(() => {
          first = search();
        })),
    );
    if (peer === undefined) continue;
    const answer = await peer.round();
    theirs.push(queries.length / answer.seconds);
    same = answer.first.filter((row, q) => row === first[q]).length;
    say(`sparse, round ${round + 1} of ${rounds}`);
  }
  peer?.close();
  const figures: Figure[] = [
    { name: `BM25, ${texts.length} abstracts, top ${depth}, one thread`, unit: "queries/s", ...spreadOf(ours) },
  ];
  if (peer === undefined)
    return {
      figures,
      notes: [
        "bm25s is not installed for python3 (RAGLINE_PYTHON names another): pip install bm25s==0.3.16 PyStemmer==3.1.0",
      ],
    };
  figures.push({ name: `bm25s ${peer.version}, one thread`, unit: "queries/s", ...spreadOf(theirs) });
  figures.push({ name: "ours / bm25s", unit: "", ...ratioOf(ours, theirs), aim: { atLeast: 1 } });
  return {
    figures,
    notes: [
      `BM25: the same abstract is first for ${same} of ${queries.length} queries; both tokenise and stem the queries`,
    ],
  };
}

await runBenchmark({
  name: "search-throughput",
  defaultRounds: 5,
  needs: "scifact",
  measure: async (context) => {
    const dense = await measureDense(context);
    const sparse = await measureSparse(context);
    return { figures: [...dense.figures, ...sparse.figures], notes: [...dense.notes, ...sparse.notes] };
  },
});
