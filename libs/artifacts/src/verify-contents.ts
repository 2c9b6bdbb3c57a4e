import { ArtifactError } from "./artifact-error.js";
import type { ArtifactNames } from "./artifact-names.js";
import type { HashedReader } from "./hashed-reader.js";
import type { Manifest } from "./manifest.js";
import { type RunStats, runStatsSchema } from "./run-stats.js";
import { verifyCandidates } from "./verify-candidates.js";
import { ChunkList } from "./verify-chunk-lists.js";
import { DenseRows } from "./verify-dense.js";
import { FaissError, FaissRows } from "./verify-faiss.js";
import { PointRows } from "./verify-points.js";
import type { VerifyProblems } from "./verify-problems.js";
import { type RowFigures, type RowFiles, verifyRows } from "./verify-rows.js";
import { SparseRows } from "./verify-sparse.js";

/** How much of a run was looked at. */
export interface RunContents {
  /** Chunks in the texts file. */
  readonly chunks: number;
  /** Dense vectors over all models. */
  readonly denseVectors: number;
  /** Sparse vectors over all models, empty ones not counted. */
  readonly sparseVectors: number;
  /** Points in the Qdrant file. */
  readonly points: number;
  readonly rerankedQueries: number;
}

/** A run whose files are open. */
export interface OpenedRun {
  readonly root: string;
  readonly manifest: Manifest;
  readonly names: ArtifactNames;
  /** By name; a listed file that could not be opened is absent. */
  readonly readers: ReadonlyMap<string, HashedReader>;
  readonly problems: VerifyProblems;
  readonly summaryName: string;
}

const maxStatsBytes = 2 ** 24;

/** Compares the contents of a run's files with each other and with the manifest. Files may be left unread in part. */
export async function verifyContents(
  run: OpenedRun,
  { vocabularySize = () => undefined }: { readonly vocabularySize?: (model: string) => number | undefined },
): Promise<RunContents> {
  const { manifest, names, readers, problems } = run;
  const stats = await readStats(run);
  const dense = await openDense(run, stats);
  const [texts, metadata] = [readers.get(names.texts), readers.get(names.metadata)];
  const [sparse, points] = [readers.get(names.sparse), readers.get(names.qdrant)];
  const [fused, rerank] = [readers.get(names.fused), readers.get(names.rerank)];
  const context = {
    dense: (stats?.dense ?? []).map((space) => ({ ...space, huggingFaceId: space.hugging_face_id })),
    sparse: manifest.outputs?.some(({ name }) => name === names.sparse) ?? false,
  };
  const files: RowFiles = {
    texts: texts && new ChunkList(names.texts, texts, problems),
    metadata: metadata && new ChunkList(names.metadata, metadata, problems),
    dense,
    indexes: await openIndexes(run, dense),
    sparse: sparse && new SparseRows(names.sparse, sparse, problems, vocabularySize),
    points: points && new PointRows(names.qdrant, points, problems, context),
  };
  const figures = await verifyRows(files, manifest, problems);
  if (stats) checkStats(run, stats, dense, figures);
  checkManifestCounts(run, files, figures);
  if (fused) await verifyCandidates(names.fused, fused, figures.ids, problems);
  const rerankedQueries = rerank ? await verifyCandidates(names.rerank, rerank, figures.ids, problems) : 0;
  const sum = (counts: Iterable<number>): number => [...counts].reduce((total, count) => total + count, 0);
  return {
    chunks: files.texts?.rows ?? 0,
    denseVectors: sum(dense.map(({ rows }) => rows)),
    sparseVectors: sum(files.sparse?.available.values() ?? []),
    points: files.points?.lines.rows ?? 0,
    rerankedQueries,
  };
}

async function readStats({ names, readers, problems }: OpenedRun): Promise<RunStats | undefined> {
  const reader = readers.get(names.stats);
  if (!reader) return undefined;
  try {
    const bytes = reader.size <= maxStatsBytes ? await reader.bytes(reader.size) : undefined;
    return runStatsSchema.parse(JSON.parse(String(bytes)));
  } catch {
    problems.add(names.stats, "format", "does not hold a run's figures");
    return undefined;
  }
}

/** The dense models' files, primary first; those that cannot be read are left out. */
async function openDense(
  { manifest, readers, problems }: OpenedRun,
  stats: RunStats | undefined,
): Promise<DenseRows[]> {
  const opened: DenseRows[] = [];
  for (const { name, dimension, embeddings: file } of stats?.dense ?? []) {
    const reader = readers.get(file);
    if (!reader) continue;
    try {
      const rows = await DenseRows.open({ name, dimension, file }, manifest, reader, problems);
      if (rows) opened.push(rows);
    } catch (error) {
      if (!(error instanceof ArtifactError)) throw error;
      problems.add(file, "format", error.message);
    }
  }
  return opened;
}

/** The FAISS files. Without the matrix of the primary model there is nothing to compare them with. */
async function openIndexes(
  { manifest, names, readers, problems }: OpenedRun,
  [primary]: readonly DenseRows[],
): Promise<RowFiles["indexes"]> {
  const opened: RowFiles["indexes"][number][] = [];
  if (primary?.file !== names.embeddings) return opened;
  for (const file of [names.index, names.indexIds]) {
    const reader = readers.get(file);
    if (!reader) continue;
    try {
      const rows = await FaissRows.open(reader);
      if (rows.rows !== manifest.chunk_count)
        problems.add(file, "count", `has ${rows.rows} rows, but the run has ${manifest.chunk_count} chunks`);
      if (rows.columns === primary.dimension) opened.push({ file, rows });
      else
        problems.add(file, "mismatch", `has dimension ${rows.columns}, but ${primary.file} has ${primary.dimension}`);
    } catch (error) {
      if (!(error instanceof FaissError)) throw error;
      problems.add(file, "format", error.message);
    }
  }
  return opened;
}

/** The stats file must say of the chunks and dense vectors what they are. */
function checkStats(
  { manifest, names, problems }: OpenedRun,
  stats: RunStats,
  dense: readonly DenseRows[],
  { characters }: RowFigures,
): void {
  const differs = (detail: string): void => problems.add(names.stats, "mismatch", detail);
  if (stats.collection !== manifest.collection) differs(`is of the collection ${stats.collection}`);
  if (stats.chunk_count !== manifest.chunk_count)
    problems.add(names.stats, "count", `tells ${stats.chunk_count} chunks, but the run has ${manifest.chunk_count}`);
  const told = stats.text_characters;
  if (characters && (["total", "min", "max", "mean"] as const).some((key) => told[key] !== characters[key]))
    differs("tells other lengths of the texts than they have");
  for (const rows of dense) {
    const space = stats.dense.find(({ name }) => name === rows.name);
    if (space && rows.rows === manifest.chunk_count) rows.checkNorm(space.norm, names.stats);
  }
}

/** What the manifest counts must be what the files hold. */
function checkManifestCounts(
  { manifest, problems, summaryName }: OpenedRun,
  { sparse }: RowFiles,
  { ids }: RowFigures,
): void {
  for (const model of manifest.sparse_run?.models ?? []) {
    const { name, vectors } = (model ?? {}) as { name?: unknown; vectors?: { available?: unknown } | null };
    if (!sparse || typeof name !== "string" || typeof vectors?.available !== "number") continue;
    const available = sparse.available.get(name) ?? 0;
    if (vectors.available !== available)
      problems.add(
        summaryName,
        "count",
        `tells ${vectors.available} vectors of ${name}, but the sparse file has ${available}`,
      );
  }
  for (const id of manifest.rerank_run?.candidate_ids ?? [])
    if (typeof id !== "string" || ids.rowOf(id) === undefined)
      problems.add(summaryName, "id", `names the candidate ${String(id)}, which is no chunk of the run`);
}
