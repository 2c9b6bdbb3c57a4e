import { readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import type { HnswGraph } from "@ragline/hnsw";
import type { DenseBlock, SparseBlock } from "@ragline/vectors";
import { z } from "zod";
import { ArtifactError, readError } from "./artifact-error.js";
import { type ArtifactNames, artifactNames, MANIFEST_NAME } from "./artifact-names.js";
import { LineIndex } from "./line-index.js";
import { type Manifest, manifestPrefix, parseManifest } from "./manifest.js";
import { readNpy, readNpyHeader } from "./npy.js";
import { payloadKeys } from "./qdrant-jsonl.js";
import { readFaissHnsw } from "./read-faiss-hnsw.js";
import { readLines } from "./read-lines.js";
import { readManifestBytes } from "./read-manifest.js";
import { runStatsSchema } from "./run-stats.js";
import { readSparseJsonl, readSparseRows, sparseModels } from "./sparse-jsonl.js";

/** A dense model's vectors in a run. */
export interface RunDenseSpace {
  /** Registry key of the model. */
  readonly name: string;
  readonly huggingFaceId: string;
  readonly dimension: number;
  /** Absolute path of the `.npy` file. */
  readonly path: string;
}

/** A chunk as a run's artifacts hold it. */
export interface RunChunk {
  /** Row number in every file, from 0. */
  readonly index: number;
  /** UUID of its point. */
  readonly id: string;
  readonly text: string;
  readonly metadata: Record<string, unknown>;
}

/** How {@link openRun} finds a run. */
export interface OpenRunOptions {
  /** Path of the manifest. @default processing_summary.json in the run's directory */
  readonly summaryPath?: string;
}

/** The artifacts of one finished run, read as streams. */
export interface Run {
  /** Absolute path. */
  readonly dir: string;
  readonly manifest: Manifest;
  readonly collection: string;
  readonly prefix: string;
  readonly names: ArtifactNames;
  readonly chunkCount: number;
  /** Primary first. */
  readonly dense: readonly RunDenseSpace[];
  /** Registry keys of the sparse models, primary first; empty when the run had none. */
  readonly sparse: readonly string[];
  /** Rows of a dense model, in blocks. Throws ArtifactError for a model that the run does not have. */
  readDense(model: string): AsyncIterable<DenseBlock>;
  /** Rows of a sparse model, in blocks. Throws ArtifactError for a model that the run does not have. */
  readSparse(model: string): AsyncIterable<SparseBlock>;
  /** All chunks in order. */
  readChunks(): AsyncIterable<RunChunk>;
  /** Each row's vectors of all sparse models, model -> vector, in one pass over the file. */
  readSparseRows(): ReturnType<typeof readSparseRows>;
  /**
   * Each chunk's metadata, the characters (code points) of its text, and where the line of its point ends: the next one's
   * first byte. Vectors are not parsed.
   */
  readMetadata(): AsyncIterable<{
    readonly metadata: Record<string, unknown>;
    readonly textCharacters: number;
    readonly endOffset: number;
  }>;
  /** The HNSW graph over the primary model's vectors; undefined when the run has none. */
  readGraph(): Promise<HnswGraph | undefined>;
  /**
   * The chunks with these row numbers, in the order asked for. Without an index of the lines the first call reads the
   * points' file once to make one.
   */
  chunksAt(indices: readonly number[], lines?: LineIndex): Promise<RunChunk[]>;
}

/**
 * Opens the output directory of a run that finished.
 * @throws ArtifactError when there is no manifest (the run did not finish), it is of another major version, or the files
 * beside it are missing or not of the same run.
 */
export async function openRun(dir: string, options: OpenRunOptions = {}): Promise<Run> {
  const root = resolve(dir);
  const summaryPath = resolve(options.summaryPath ?? join(root, MANIFEST_NAME));
  const manifest = parseManifest((await readManifestBytes(summaryPath)).toString(), summaryPath);
  const prefix = manifestPrefix(manifest);
  const names = artifactNames(prefix);
  const at = (name: string) => join(root, name);
  const dense = await denseSpaces(root, at(names.stats), manifest.chunk_count);
  const hasSparse = manifest.outputs?.some(({ name }) => name === names.sparse) ?? Boolean(manifest.sparse_run);
  const sparse = hasSparse ? await sparseModels(at(names.sparse)) : [];
  let index: Promise<LineIndex> | undefined;
  return {
    dir: root,
    manifest,
    collection: manifest.collection,
    prefix,
    names,
    chunkCount: manifest.chunk_count,
    dense,
    sparse,
    readDense: (model) => readNpy(known(root, model, dense, "dense").path),
    readSparse: (model) =>
      readSparseJsonl(
        at(names.sparse),
        known(
          root,
          model,
          sparse.map((name) => ({ name })),
          "sparse",
        ).name,
      ),
    readChunks: () => readPoints(at(names.qdrant)),
    readSparseRows: () => readSparseRows(at(names.sparse)),
    readMetadata: () => readMetadata(at(names.qdrant)),
    readGraph: async () => {
      const graph = await readFaissHnsw(at(names.index));
      if (graph === undefined || graph.levels.length === manifest.chunk_count) return graph;
      throw new ArtifactError(
        "INVALID_FORMAT",
        `${at(names.index)} is a graph over ${graph.levels.length} vectors, but the run has ${manifest.chunk_count} chunks: the files are of different runs. Run again.`,
      );
    },
    chunksAt: async (indices, lineIndex) => {
      if (lineIndex === undefined) index ??= LineIndex.build(at(names.qdrant));
      const lines = await (lineIndex ?? (await index))?.read(indices);
      return (lines ?? []).map((line, i) => parsePoint(at(names.qdrant), indices[i] ?? 0, line));
    },
  };
}

async function denseSpaces(dir: string, statsPath: string, chunkCount: number): Promise<RunDenseSpace[]> {
  const text = await readFile(statsPath, "utf8").catch((error: unknown) => {
    throw readError(error, statsPath);
  });
  let stats: ReturnType<typeof runStatsSchema.parse>;
  try {
    stats = runStatsSchema.parse(JSON.parse(text));
  } catch (error) {
    throw new ArtifactError(
      "INVALID_FORMAT",
      `${statsPath} does not hold a run's figures. Run again to write it anew.`,
      { cause: error },
    );
  }
  const spaces = stats.dense.map((space) => ({
    name: space.name,
    huggingFaceId: space.hugging_face_id,
    dimension: space.dimension,
    path: join(dir, space.embeddings),
  }));
  for (const { path, dimension } of spaces) {
    const { rows, columns } = await readNpyHeader(path);
    if (rows !== chunkCount || columns !== dimension) {
      throw new ArtifactError(
        "INVALID_FORMAT",
        `${path} is a (${rows}, ${columns}) matrix, but the run has ${chunkCount} chunks of dimension ${dimension}: the files are of different runs. Run again.`,
      );
    }
  }
  return spaces;
}

function known<T extends { readonly name: string }>(dir: string, model: string, spaces: readonly T[], kind: string): T {
  const space = spaces.find(({ name }) => name === model);
  if (space !== undefined) return space;
  const valid = spaces.map(({ name }) => name).join(", ") || "none";
  throw new ArtifactError(
    "INVALID_ARGUMENT",
    `The run in ${dir} has no ${kind} model ${model}. Its ${kind} models: ${valid}.`,
  );
}

async function* readPoints(path: string): AsyncGenerator<RunChunk, void, undefined> {
  for await (const line of readLines(path)) yield parsePoint(path, line.number, line.bytes);
}

/** Stands between vectors, which are numbers under the models' names, and the payload. */
const payloadStart = Buffer.from(',"payload":{');

async function* readMetadata(
  path: string,
): AsyncGenerator<{ metadata: Record<string, unknown>; textCharacters: number; endOffset: number }, void, undefined> {
  for await (const { number, offset, bytes } of readLines(path)) {
    const at = bytes.indexOf(payloadStart);
    const endOffset = offset + bytes.length + 1;
    const isLast = bytes[bytes.length - 1] === 0x7d;
    let payload: Record<string, unknown> | undefined;
    try {
      // From the payload's brace up to the point's own last one.
      if (at > 0 && isLast)
        payload = JSON.parse(bytes.toString("utf8", at + payloadStart.length - 1, bytes.length - 1));
    } catch {
      // Something else follows the payload: the whole line says what.
    }
    const told = payload?.["full_text_length"];
    if (payload !== undefined && typeof told === "number") {
      yield { metadata: metadataOf(payload), textCharacters: told, endOffset };
      continue;
    }
    const { metadata, text } = parsePoint(path, number, bytes);
    yield { metadata, textCharacters: Array.from(text).length, endOffset };
  }
}

function metadataOf(payload: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const metadata: Record<string, unknown> = { ...payload };
  for (const key of payloadKeys) delete metadata[key];
  return metadata;
}

const pointSchema = z.object({ id: z.string(), payload: z.looseObject({ text: z.string() }) });

function parsePoint(path: string, index: number, line: Buffer): RunChunk {
  try {
    const { id, payload } = pointSchema.parse(JSON.parse(line.toString()));
    return { index, id, text: payload.text, metadata: metadataOf(payload) };
  } catch (error) {
    throw new ArtifactError(
      "INVALID_FORMAT",
      `Line ${index + 1} of ${path} is not a point. Run again to write it anew.`,
      { cause: error },
    );
  }
}
