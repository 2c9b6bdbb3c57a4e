import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { artifactNames, MANIFEST_NAME } from "./artifact-names.js";
import { faissFlatIpHeader } from "./faiss.js";
import { faissId, faissIdMapEnd, faissIdMapHeader } from "./faiss-id-map.js";
import { JsonBytes } from "./json-bytes.js";
import { sealManifest } from "./manifest-seal.js";
import { npyHeader } from "./npy.js";
import { pointIds } from "./point-id.js";
import { appendQdrantPoint, pointPayload } from "./qdrant-jsonl.js";
import { sha256Of } from "./sha256-file.js";
import { appendSparseLine, sparseRowJson } from "./sparse-jsonl.js";
import { verifyRun } from "./verify-run.js";

export const names = artifactNames("docs");
const texts = ["alpha beta", 'a "quoted"\ntext', "alpha beta", "δ😀", "epsilon", "zeta"];
const models = [
  { name: "bge", dimension: 4, huggingFaceId: "BAAI/bge" },
  { name: "mini", dimension: 3, huggingFaceId: "s/mini" },
];
/** Vocabulary of the fixture's learned model. */
export const vocabularySize = (model: string): number | undefined => (model === "splade" ? 30522 : undefined);

/** The fixture's ids, in order. */
export const ids: readonly string[] = texts.map(pointIds("docs"));

const bytesOf = (values: Float32Array): Buffer => Buffer.from(values.buffer, values.byteOffset, values.byteLength);

function unitRows(dimension: number): Float32Array[] {
  return texts.map((_, row) => {
    const values = Float32Array.from({ length: dimension }, (_value, i) => Math.sin(row * 7 + i + dimension));
    const norm = Math.hypot(...values);
    return values.map((value) => value / norm);
  });
}

const metadataOf = (row: number): Record<string, unknown> =>
  // One chunk has metadata under a key that a payload needs for itself.
  row === 1 ? { chunk_id: "c-1", text: "other" } : { chunk_id: `c-${row}`, page: row / 3 };

const sparseOf = (row: number) =>
  [
    { indices: row === 3 ? [] : [row, 100 + row, 30521], values: row === 3 ? [] : [0.5, 0.25, 1 + row] },
    { indices: [4_000_000_000 + row], values: [1] },
  ] as const;

function stats(dense: readonly Float32Array[][]): object {
  const lengths = texts.map((text) => [...text].length);
  const total = lengths.reduce((sum, length) => sum + length, 0);
  return {
    collection: "docs",
    chunk_count: texts.length,
    text_characters: { total, min: Math.min(...lengths), max: Math.max(...lengths), mean: total / texts.length },
    dense: models.map(({ name, dimension, huggingFaceId }, i) => {
      const norms = (dense[i] ?? []).map((row) => Math.hypot(...row));
      const mean = norms.reduce((sum, norm) => sum + norm, 0) / norms.length;
      const embeddings = i === 0 ? names.embeddings : names.companionEmbeddings(name);
      const norm = { min: Math.min(...norms), max: Math.max(...norms), mean };
      return { name, hugging_face_id: huggingFaceId, dimension, embeddings, norm };
    }),
  };
}

function candidates(scores: readonly (readonly [row: number, fused: number, mixed: number | null])[]): object[] {
  return scores.map(([row, fused, mixed], i) => ({
    id: ids[row],
    row,
    rank: i + 1,
    fused_score: fused,
    ...(mixed === null ? {} : { rerank_score: mixed * 2, mixed_score: mixed }),
    sources: { bge: { rank: i + 1, score: fused / 2 } },
  }));
}

/** Every file of a small run, the manifest not among them. */
export function runFiles(): Map<string, Buffer> {
  const dense = models.map(({ dimension }) => unitRows(dimension));
  const [primary = [], companion = []] = dense;
  const matrix = (rows: readonly Float32Array[]): Buffer => Buffer.concat(rows.map(bytesOf));
  const points = new JsonBytes();
  const sparse = new JsonBytes();
  for (const [row, text] of texts.entries()) {
    const [splade, bm25] = sparseOf(row).map(({ indices, values }) =>
      sparseRowJson(
        new JsonBytes(),
        indices,
        values,
        indices.map((index) => `w"${index}`),
      ),
    );
    if (!splade || !bm25) throw new Error("two sparse models");
    const id = ids[row] ?? "";
    const vectors = [["splade", splade.vector] as const, ["bm25", bm25.vector] as const];
    const payload = Buffer.from(JSON.stringify(pointPayload(metadataOf(row), text, { dense: models, sparse: true })));
    const named = models.map(({ name }, i) => [name, dense[i]?.[row] ?? new Float32Array()] as const);
    appendQdrantPoint(points, { id, dense: named, sparse: vectors, payload, primarySparse: splade });
    appendSparseLine(sparse, id, splade, vectors);
  }
  const list = (values: readonly unknown[]) =>
    Buffer.from(`[\n${values.map((value) => JSON.stringify(value)).join(",\n")}\n]\n`);
  const lines = (values: readonly object[]) =>
    Buffer.from(values.map((value) => `${JSON.stringify(value)}\n`).join(""));
  const idList = BigInt64Array.from(ids, faissId);
  return new Map([
    [names.embeddings, Buffer.concat([npyHeader(texts.length, 4), matrix(primary)])],
    [names.companionEmbeddings("mini"), Buffer.concat([npyHeader(texts.length, 3), matrix(companion)])],
    [names.index, Buffer.concat([faissFlatIpHeader(texts.length, 4), matrix(primary)])],
    [names.indexIds, Buffer.concat([faissIdMapHeader(texts.length, 4), matrix(primary), faissIdMapEnd(idList)])],
    [names.metadata, list(texts.map((_, row) => metadataOf(row)))],
    [names.texts, list(texts)],
    [names.stats, Buffer.from(`${JSON.stringify(stats(dense), undefined, 2)}\n`)],
    [names.qdrant, Buffer.from(points.bytes)],
    [names.sparse, Buffer.from(sparse.bytes)],
    [
      names.fused,
      lines([
        {
          query_id: "q1",
          candidates: candidates([
            [2, 3, null],
            [0, 1, null],
          ]),
        },
      ]),
    ],
    [
      names.rerank,
      lines([
        {
          query_id: "q1",
          candidates: candidates([
            [0, 1, 2],
            [2, 3, -1],
          ]),
        },
        { query_id: "q2", candidates: candidates([[5, 4, 0.5]]) },
      ]),
    ],
  ]);
}

/** Writes the files and a manifest that lists them as they are, sealed; `more` is laid over the manifest. */
export function writeRun(dir: string, files: ReadonlyMap<string, Buffer>, more: object = {}): void {
  for (const [name, bytes] of files) writeFileSync(join(dir, name), bytes);
  const outputs = [...files].map(([name, bytes]) => ({ name, bytes: bytes.length, sha256: sha256Of(bytes) }));
  const available = (model: string, count: number) => ({
    name: model,
    vectors: { total: texts.length, available: count },
  });
  const manifest = {
    schema_version: "v4.1",
    collection: "docs",
    chunk_count: texts.length,
    feature_toggles: { enable_rerank: true, enable_sparse: true },
    dense_run: { total_embeddings_generated: texts.length * 2, models_executed: models.map(({ name }) => name) },
    sparse_run: { enabled: true, executed: true, models: [available("splade", 5), available("bm25", 6)] },
    rerank_run: { enabled: true, executed: true, candidate_ids: [ids[0]], scores: [1] },
    outputs,
    ...more,
  };
  writeFileSync(join(dir, MANIFEST_NAME), sealManifest(manifest));
}

/** All files of a directory that a run wrote, the manifest included. */
export function readRun(dir: string): Map<string, Buffer> {
  return new Map([...runFiles().keys(), MANIFEST_NAME].map((name) => [name, readFileSync(join(dir, name))]));
}

/** The problems of a run as lines of text. */
export async function problemsOf(dir: string): Promise<string[]> {
  const { problems } = await verifyRun(dir, { vocabularySize });
  return problems.map(
    ({ file, kind, detail, row }) => `${kind} ${file}${row === undefined ? "" : `:${row}`} ${detail}`,
  );
}

/** The lines of a file, byte for byte. */
export const linesOf = (bytes: Buffer): string[] => bytes.toString("latin1").split("\n");
/** Lines as a file again. */
export const bytesOfLines = (lines: readonly string[]): Buffer => Buffer.from(lines.join("\n"), "latin1");
