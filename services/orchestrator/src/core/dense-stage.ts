import { type DenseVectors, type DenseVectorsSchema, LongText } from "@ragline/contracts";
import { RowTally } from "@ragline/evaluation";
import { type DenseBlock, fromFloat32Bytes } from "@ragline/vectors";
import type { ChunkSpool } from "./chunk-spool.js";
import type { MessageSpool } from "./message-spool.js";
import type { ModelRun } from "./model-stream.js";
import type { RunContext } from "./run-context.js";
import { runTextModel } from "./run-text-model.js";
import { stageOpen, textRequests } from "./stage-requests.js";

/** One dense model's vectors: the chunks' on disk, the queries' in memory. */
export interface DenseSpace {
  readonly model: string;
  readonly dimension: number;
  /** Rows of chunks that the model could not embed are zero. */
  readonly vectors: MessageSpool<typeof DenseVectorsSchema>;
  /** One row per query, zero for one that the model could not embed. */
  readonly queries: Float32Array;
  /** Chunks that have a vector. */
  readonly available: number;
  /** Chunks whose text the model did not read to its end. */
  readonly truncated: RowTally;
  readonly run: ModelRun;
}

/** The chunk vectors of a space, block by block; rows without a vector are left out. */
export async function* denseBlocks(space: Pick<DenseSpace, "vectors">): AsyncGenerator<DenseBlock> {
  for await (const { firstIndex, rows, columns, values, failures } of space.vectors.read()) {
    const matrix = fromFloat32Bytes(values);
    let first = 0;
    for (const end of [...failures.map(({ position }) => position).sort((a, b) => a - b), rows]) {
      if (end > first)
        yield {
          firstIndex: Number(firstIndex) + first,
          columns,
          values: matrix.subarray(first * columns, end * columns),
        };
      first = end + 1;
    }
  }
}

/** Embeds all chunks and queries with one model. */
export async function embedWithModel(
  context: RunContext,
  collection: string,
  model: string,
  chunks: ChunkSpool,
  queries: readonly string[] | Promise<readonly string[]>,
  vectors: MessageSpool<typeof DenseVectorsSchema>,
): Promise<DenseSpace> {
  const queryBlocks: DenseVectors[] = [];
  let dimension = 0;
  let available = 0;
  const truncated = new RowTally();
  const { exclusiveEnsemble, ensembleModels, longText } = context.settings;
  const open = stageOpen(context, "dense", model, {
    longText: longText === "window-mean" ? LongText.WINDOW_MEAN : LongText.TRUNCATE,
    ...(exclusiveEnsemble ? {} : { sideBySide: ensembleModels.length }),
  });
  const run = await runTextModel<"dense", DenseVectors>(context, {
    stage: "dense",
    model,
    collection,
    chunks,
    queries,
    open: (client, batches, signal) => client.embed(textRequests(open, batches, []), { signal }),
    onReady: (ready) => {
      dimension = ready.dimension;
    },
    rowsOf: ({ values, rows }) => (values.byteLength === 4 * rows * dimension ? rows : Number.NaN),
    onPassages: async (block) => {
      await vectors.append(block);
      available += block.rows - block.failures.length;
      for (const position of block.truncated) truncated.add(Number(block.firstIndex) + position);
    },
    onQueries: (block) => queryBlocks.push(block),
  });
  const queryVectors = new Float32Array((await queries).length * dimension);
  for (const { firstIndex, values } of queryBlocks)
    queryVectors.set(fromFloat32Bytes(values), Number(firstIndex) * dimension);
  return { model, dimension, vectors, queries: queryVectors, available, truncated, run };
}
