import {
  appendQdrantPoint,
  appendSparseLine,
  JsonBytes,
  readFrames,
  readNpy,
  type SparseRowJson,
  type StagedFile,
} from "@ragline/artifacts";

/** The staged files that one point's parts are read from. */
export interface PointSources {
  /** Two frames per chunk: id and payload. */
  readonly chunks: string;
  /** The `.npy` file of each dense model, primary first. */
  readonly dense: readonly { readonly name: string; readonly path: string }[];
  /** Three frames per chunk and model, primary first. */
  readonly sparse: readonly { readonly name: string; readonly path: string }[];
}

/**
 * Writes the points' and the sparse vectors' lines in one pass over the staged files; memory holds a few rows of each.
 * @param sparse undefined when the run has no sparse model.
 * @param signal stops the pass between two points.
 */
export async function writePoints(
  sources: PointSources,
  chunkCount: number,
  files: { qdrant: StagedFile; sparse: StagedFile | undefined },
  signal?: AbortSignal,
): Promise<void> {
  const json = new JsonBytes();
  const chunks = readFrames(sources.chunks);
  const dense = sources.dense.map(({ name, path }) => ({ name, rows: denseRows(path) }));
  const sparse = sources.sparse.map(({ name, path }) => ({ name, frames: readFrames(path) }));
  const streams = [chunks, ...dense.map(({ rows }) => rows), ...sparse.map(({ frames }) => frames)];
  try {
    for (let i = 0; i < chunkCount; i++) {
      signal?.throwIfAborted();
      const id = (await next(chunks)).toString();
      const payload = await next(chunks);
      const vectors: [string, Float32Array][] = [];
      for (const { name, rows } of dense) vectors.push([name, await next(rows)]);
      const rows: [string, SparseRowJson][] = [];
      for (const { name, frames } of sparse) rows.push([name, await nextSparseRow(frames)]);
      const primarySparse = rows[0]?.[1];
      const all = rows.map(([name, { vector }]) => [name, vector] as const);
      appendQdrantPoint(json.clear(), { id, dense: vectors, sparse: all, payload, primarySparse });
      await files.qdrant.write(json.bytes);
      if (files.sparse === undefined || primarySparse === undefined) continue;
      appendSparseLine(json.clear(), id, primarySparse, all);
      await files.sparse.write(json.bytes);
    }
  } finally {
    for (const stream of streams) await stream.return();
  }
}

async function* denseRows(path: string): AsyncGenerator<Float32Array, void, undefined> {
  for await (const { columns, values } of readNpy(path, 2 ** 18)) {
    for (let at = 0; at < values.length; at += columns) yield values.subarray(at, at + columns);
  }
}

async function nextSparseRow(frames: AsyncGenerator<Buffer, void, undefined>): Promise<SparseRowJson> {
  return { vector: await next(frames), tokens: await next(frames), stats: await next(frames) };
}

async function next<T>(stream: AsyncGenerator<T, void, undefined>): Promise<T> {
  const { value, done } = await stream.next();
  if (done) throw new Error("a staged file has fewer rows than were written to it");
  return value;
}
