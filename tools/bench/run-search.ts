import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { openRun } from "@ragline/artifacts";
import { ExportRun } from "@ragline/export";
import { Bm25, countWords } from "@ragline/lexical";
import { SearchIndex } from "@ragline/retrieval";
import { packSparse, type SparseVector } from "@ragline/vectors";
import { randomNumbers } from "./random-numbers.js";
import type { Findings } from "./report.js";
import type { BenchContext } from "./run-benchmark.js";
import { columns, searchTexts, unitVectors } from "./search-corpus.js";
import { spreadOf } from "./statistics.js";

const models = { dense: ["bge-small-en-v1.5", "all-miniLM-l6"], sparse: ["splade-tiny", "qdrant-bm25"] };
const vocabulary = 30_522;
const termsPerText = 120;
const termsPerQuery = 40;
const listDepth = 100;
const blockRows = 500;
const answers = 10;

/** A vector such as SPLADE gives: few terms in many texts, many terms in few. */
function learnedVector(random: () => number, terms: number): SparseVector {
  const ids = new Set<number>();
  while (ids.size < terms) ids.add(Math.floor(vocabulary * random() ** 3));
  const indices = Uint32Array.from(ids).sort();
  return { indices, values: Float32Array.from(indices, () => 0.1 + 2 * random()) };
}

/** Writes a run of these texts with the vectors of four models, those of BM25 real, as the export stage writes it. */
async function writeRun(outputDir: string, texts: readonly string[], bm25: Bm25): Promise<void> {
  await mkdir(outputDir, { recursive: true });
  const { dense, sparse } = models;
  const run = await ExportRun.open({
    outputDir,
    collection: "bench",
    dense: dense.map((name) => ({ name, dimension: columns, huggingFaceId: name })),
    sparse,
    chunkCount: texts.length,
    rerank: false,
  });
  const blocks = Array.from({ length: Math.ceil(texts.length / blockRows) }, (_, i) => i * blockRows);
  const chunkOf = (text: string, row: number) => ({
    id: `00000000-0000-5000-8000-${row.toString(16).padStart(12, "0")}`,
    text,
    metadataJson: JSON.stringify({ source_file: `${row % 1000}.md`, chunk_index: row, token_count: text.length >> 2 }),
  });
  for (const at of blocks) await run.chunks(texts.slice(at, at + blockRows).map((text, i) => chunkOf(text, at + i)));
  for (const [seed, name] of dense.entries()) {
    const values = unitVectors(texts.length, seed + 1);
    for (const firstIndex of blocks)
      await run.dense(name, {
        firstIndex,
        columns,
        values: values.subarray(firstIndex * columns, (firstIndex + blockRows) * columns),
      });
  }
  const random = randomNumbers(5);
  for (const name of sparse) {
    const vectorOf = (text: string) =>
      name === "qdrant-bm25" ? bm25.document(text).vector : learnedVector(random, termsPerText);
    for (const at of blocks) {
      const block = packSparse(at, texts.slice(at, at + blockRows).map(vectorOf));
      const list = (values: ArrayLike<number>) => Array.from(values);
      await run.sparse(name, {
        firstIndex: at,
        rowLengths: list(block.rowLengths),
        indices: list(block.indices),
        values: list(block.values),
      });
    }
  }
  const outputs = await run.finish();
  await run.commit(JSON.stringify({ schema_version: "v4.1", collection: "bench", chunk_count: texts.length, outputs }));
}

/** A search of a run's files by all of its models, without the query's own encoding: how soon, and how fast. */
export async function measureRunSearch(context: BenchContext, rows: number): Promise<Findings> {
  const { rounds, limit, dataDir, folder, say } = context;
  const { texts, queries } = await searchTexts(dataDir, Math.min(rows, limit ?? rows));
  const bm25 = new Bm25({ averageLength: texts.reduce((sum, text) => sum + countWords(text), 0) / texts.length });
  const outputDir = join(folder, "run");
  say(`writing a run of ${texts.length} chunks`);
  await writeRun(outputDir, texts, bm25);
  const run = await openRun(outputDir);
  const random = randomNumbers(6);
  const asked = queries.slice(0, 50).map((text, i) => ({
    dense: models.dense.map((_, model) => unitVectors(1, 100 + 2 * i + model)),
    sparse: [learnedVector(random, termsPerQuery), bm25.query(text).vector],
  }));
  const answer = async (index: SearchIndex, { dense, sparse }: (typeof asked)[number]): Promise<void> => {
    const rowsFound = new Set<number>();
    for (const [i, name] of models.dense.entries()) {
      const [list = []] = await index.searchDense(name, dense[i] ?? new Float32Array(columns), { k: listDepth });
      for (const { row } of list) rowsFound.add(row);
    }
    for (const [i, name] of models.sparse.entries()) {
      const vector = sparse[i];
      if (vector === undefined) continue;
      const [list = []] = await index.searchSparse(name, name === "qdrant-bm25", [vector], { k: listDepth });
      for (const { row } of list) rowsFound.add(row);
    }
    await index.chunksAt([...rowsFound].slice(0, answers));
  };
  let startedAt = performance.now();
  const lap = (): number => {
    const before = startedAt;
    startedAt = performance.now();
    return startedAt - before;
  };
  await (await SearchIndex.open(run)).close();
  const indexing = lap() / 1000;
  const starts: number[] = [];
  const times: number[] = [];
  for (let round = 0; round < rounds; round++) {
    lap();
    const index = await SearchIndex.open(await openRun(outputDir));
    await Promise.all([
      ...models.dense.map((name) => index.prepareDense(name, false)),
      ...models.sparse.map((name) => index.prepareSparse(name)),
    ]);
    for (const [i, one] of asked.entries()) {
      if (i === 1) lap();
      await answer(index, one);
      if (i === 0) starts.push(lap());
    }
    times.push(lap() / (asked.length - 1));
    await index.close();
    say(`search of a run, round ${round + 1} of ${rounds}`);
  }
  return {
    figures: [
      {
        name: "a run's files: from nothing to the first answer",
        unit: "ms",
        ...spreadOf(starts),
        aim: { atMost: 1000 },
      },
      { name: "a run's files: each answer after that", unit: "ms", ...spreadOf(times), aim: { atMost: 100 } },
      { name: "a run's files: making the index, once", unit: "s", ...spreadOf([indexing]) },
    ],
    notes: [
      `a run of ${texts.length} chunks; an answer is two dense lists, SPLADE and BM25 (${listDepth} each) and the text of ${answers} chunks, by the clock and without encoding the query`,
    ],
  };
}
