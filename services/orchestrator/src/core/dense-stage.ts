import { type DenseVectorsSchema, InputType, Stage } from "@ragline/contracts";
import { RaglineError } from "@ragline/rpc";
import { type DenseBlock, fromFloat32Bytes } from "@ragline/vectors";
import type { ChunkSpool } from "./chunk-spool.js";
import type { MessageSpool } from "./message-spool.js";
import { type ModelRun, readModelStream } from "./model-stream.js";
import type { RunContext } from "./run-context.js";
import { passageBatches, stageOpen, textRequests } from "./stage-requests.js";
import { withStage } from "./with-stage.js";

/** One dense model's vectors: the chunks' on disk, the queries' in memory. */
export interface DenseSpace {
  readonly model: string;
  readonly dimension: number;
  readonly vectors: MessageSpool<typeof DenseVectorsSchema>;
  /** One row per query. */
  readonly queries: Float32Array;
  readonly run: ModelRun;
}

/** The chunk vectors of a space, block by block. */
export async function* denseBlocks(space: DenseSpace): AsyncGenerator<DenseBlock> {
  for await (const { firstIndex, columns, values } of space.vectors.read()) {
    yield { firstIndex: Number(firstIndex), columns, values: fromFloat32Bytes(values) };
  }
}

/** Embeds all chunks and queries with one model. */
export async function embedWithModel(
  context: RunContext,
  collection: string,
  model: string,
  chunks: ChunkSpool,
  queries: readonly string[],
  vectors: MessageSpool<typeof DenseVectorsSchema>,
): Promise<DenseSpace> {
  const { emit, signal } = context;
  return withStage(context, "dense", async (client) => {
    await vectors.clear();
    let queryVectors = new Float32Array();
    let dimension = 0;
    let done = 0;
    const total = chunks.count;
    const requests = textRequests(stageOpen(context, "dense", model), passageBatches(chunks), queries);
    emit({
      case: "stageStarted",
      value: { collection, stage: Stage.DENSE, model, total: BigInt(total), unit: "chunks" },
    });
    const run = await readModelStream(
      client.embed(requests, { signal }),
      (ready) => {
        dimension = ready.dimension;
        queryVectors = new Float32Array(queries.length * dimension);
      },
      async (block) => {
        if (block.values.byteLength !== 4 * block.rows * dimension) {
          throw new RaglineError(
            "INTERNAL",
            "BAD_VECTORS",
            `the dense service sent ${block.values.byteLength} bytes for ${block.rows} vectors of ${model}`,
          );
        }
        if (block.inputType === InputType.QUERY) {
          queryVectors.set(fromFloat32Bytes(block.values), Number(block.firstIndex) * dimension);
          return;
        }
        await vectors.append(block);
        done += block.rows;
        emit({
          case: "stageProgress",
          value: { collection, stage: Stage.DENSE, model, done: BigInt(done), total: BigInt(total) },
        });
      },
    );
    if (done !== total)
      throw new RaglineError(
        "INTERNAL",
        "VECTORS_MISSING",
        `the dense service gave ${done} of ${total} vectors of ${model}`,
      );
    return { model, dimension, vectors, queries: queryVectors, run };
  });
}
