// What the export stage writes per second, and whether its memory depends on how much that is.
import { fork } from "node:child_process";
import { once } from "node:events";
import { stat } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { MANIFEST_NAME } from "@ragline/artifacts";
import { type ExportedChunk, type ExportPlan, ExportRun } from "@ragline/export";
import { hasProcessUsage, peakResidentBytes } from "@ragline/processes";
import { packSparse } from "@ragline/vectors";
import { runBenchmark } from "./run-benchmark.js";
import { shortChunks } from "./short-chunks.js";
import { ratioOf, spreadOf } from "./statistics.js";

const manyChunks = 200_000;
const share = 10;
const dimension = 384;
const sparseSpaces = { "splade-tiny": 60, "qdrant-bm25": 30 };
const blockRows = 512;
const sentencesPerText = 5;
const seed = 4;
const megabyte = 1e6;
const mebibyte = 2 ** 20;

/** What the process that exports tells. */
interface Export {
  readonly bytes: number;
  readonly seconds: number;
  /** Of all its threads. */
  readonly cpuSeconds: number;
  readonly peakBytes: number;
}

/** Rows of one sparse model, in lists as a message has them. */
interface SparseRows {
  readonly space: string;
  readonly entriesPerRow: number;
  readonly rowLengths: readonly number[];
  readonly indices: readonly number[];
  readonly values: readonly number[];
}

/** One block of everything, which is sent again and again: making new ones would be measured too. */
function makeBlock(): { chunks: Omit<ExportedChunk, "id">[]; values: Float32Array; sparse: SparseRows[] } {
  const records = [...shortChunks(blockRows * sentencesPerText, seed)];
  const chunks = Array.from({ length: blockRows }, (_, i) => {
    const own = records.slice(i * sentencesPerText, (i + 1) * sentencesPerText);
    return {
      text: own.map(({ text }) => text).join(" "),
      metadataJson: JSON.stringify({ ...own[0]?.metadata, search_keywords: own.map(({ metadata }) => metadata) }),
    };
  });
  const values = Float32Array.from({ length: blockRows * dimension }, (_, i) => Math.sin(i * i + i) / 14);
  const sparse = Object.entries(sparseSpaces).map(([space, entries]): SparseRows => {
    const rows = Array.from({ length: blockRows }, (_, row) => ({
      indices: Uint32Array.from({ length: entries }, (_, i) => i * 500 + (row % 499)),
      values: Float32Array.from({ length: entries }, (_, i) => 1 + Math.sin(row + i * i)),
    }));
    const packed = packSparse(0, rows);
    return {
      space,
      entriesPerRow: entries,
      rowLengths: Array.from(packed.rowLengths),
      indices: Array.from(packed.indices),
      values: Array.from(packed.values),
    };
  });
  return { chunks, values, sparse };
}

const uuidOf = (row: number): string => `00000000-0000-5000-8000-${row.toString(16).padStart(12, "0")}`;

/** Sends everything in the order of the orchestrator. @returns the bytes that were written. */
async function exportAll(run: ExportRun, { chunkCount, collection }: ExportPlan): Promise<number> {
  const block = makeBlock();
  const blocks = function* (): Generator<{ firstIndex: number; rows: number }> {
    for (let at = 0; at < chunkCount; at += blockRows)
      yield { firstIndex: at, rows: Math.min(blockRows, chunkCount - at) };
  };
  for (const { firstIndex, rows } of blocks())
    await run.chunks(block.chunks.slice(0, rows).map((chunk, i) => ({ ...chunk, id: uuidOf(firstIndex + i) })));
  for (const { firstIndex, rows } of blocks())
    await run.dense("bge-small-en-v1.5", {
      firstIndex,
      columns: dimension,
      values: block.values.subarray(0, rows * dimension),
    });
  for (const { space, entriesPerRow, rowLengths, indices, values } of block.sparse) {
    for (const { firstIndex, rows } of blocks())
      await run.sparse(space, {
        firstIndex,
        rowLengths: rowLengths.slice(0, rows),
        indices: indices.slice(0, rows * entriesPerRow),
        values: values.slice(0, rows * entriesPerRow),
      });
  }
  await run.lines("rerank", ['{"query_id":"1","candidates":[]}']);
  const files = await run.finish();
  await run.commit(JSON.stringify({ schema_version: "v4.1", collection, chunk_count: chunkCount, outputs: files }));
  return files.reduce((sum, { bytes }) => sum + bytes, 0);
}

/** The body of the process that exports. */
async function exportHere(chunkCount: number, outputDir: string): Promise<Export> {
  const plan: ExportPlan = {
    outputDir,
    collection: "bench",
    dense: [{ name: "bge-small-en-v1.5", dimension, huggingFaceId: "BAAI/bge-small-en-v1.5" }],
    sparse: Object.keys(sparseSpaces),
    chunkCount,
    rerank: true,
  };
  const [startedAt, cpuBefore] = [performance.now(), process.cpuUsage()];
  const bytes = await exportAll(await ExportRun.open(plan), plan);
  const { user, system } = process.cpuUsage(cpuBefore);
  const { size } = await stat(join(outputDir, MANIFEST_NAME));
  return {
    bytes: bytes + size,
    seconds: (performance.now() - startedAt) / 1000,
    cpuSeconds: (user + system) / 1e6,
    peakBytes: peakResidentBytes(process.pid),
  };
}

/** Exports in a process of its own, whose memory is then that of the export. */
async function exportApart(chunkCount: number, outputDir: string): Promise<Export> {
  const child = fork(fileURLToPath(import.meta.url), [`${chunkCount}`, outputDir], { execArgv: [] });
  const exited = once(child, "exit");
  const told = once(child, "message") as Promise<[Export]>;
  const [found] = await Promise.race([told, exited.then(() => [])]);
  await exited;
  if (!found) throw new Error(`the process that exports ${chunkCount} chunks died`);
  return found;
}

if (process.send) {
  const [chunkCount, outputDir = ""] = process.argv.slice(2);
  process.send(await exportHere(Number(chunkCount), outputDir));
  process.disconnect();
} else {
  await runBenchmark({
    name: "export-throughput",
    defaultRounds: 1,
    measure: async ({ rounds, limit, folder, say }) => {
      const many = limit ?? manyChunks;
      const few = Math.max(1, Math.round(many / share));
      const small: Export[] = [];
      const large: Export[] = [];
      for (let round = 0; round < rounds; round++) {
        for (const [count, found] of [
          [few, small],
          [many, large],
        ] as const) {
          say(`round ${round + 1} of ${rounds}: ${count} chunks`);
          // The same folder for all: the next export replaces the files of the one before.
          found.push(await exportApart(count, join(folder, "out")));
        }
      }
      const peaks = (found: readonly Export[]) => found.map(({ peakBytes }) => peakBytes / mebibyte);
      const rate = (per: (found: Export) => number) =>
        spreadOf(large.map((found) => found.bytes / megabyte / per(found)));
      return {
        figures: [
          { name: "written per second of one core", unit: "MB/s", ...rate((f) => f.cpuSeconds), aim: { atLeast: 50 } },
          { name: "written per second", unit: "MB/s", ...rate((f) => f.seconds) },
          {
            name: `export of ${many} chunks`,
            unit: "s",
            ...spreadOf(large.map((f) => f.seconds)),
            aim: { atMost: 180 },
          },
          { name: "written", unit: "MB", ...spreadOf(large.map((f) => f.bytes / megabyte)) },
          ...(hasProcessUsage()
            ? [
                { name: `peak memory, ${few} chunks`, unit: "MiB", ...spreadOf(peaks(small)) },
                { name: `peak memory, ${many} chunks`, unit: "MiB", ...spreadOf(peaks(large)) },
                {
                  name: `peak memory, ${many} / ${few}`,
                  unit: "",
                  ...ratioOf(peaks(large), peaks(small)),
                  aim: { atMost: 1.2 },
                },
              ]
            : []),
        ],
        notes: [
          `${many} chunks with one dense vector of ${dimension} floats and two sparse ones, all default files, through ExportRun in a process of its own`,
          "written are the files' bytes, what is spooled in between is not counted; a core's seconds are those of all threads of the process",
        ],
      };
    },
  });
}
