import type { MessageInitShape } from "@bufbuild/protobuf";
import { InputType, type MeasureCorpusRequestSchema, type SparseVectorsSchema, Stage } from "@ragline/contracts";
import { RaglineError } from "@ragline/rpc";
import { type SparseBlock, type SparseVector, unpackSparse } from "@ragline/vectors";
import type { ChunkSpool } from "./chunk-spool.js";
import type { MessageSpool } from "./message-spool.js";
import { type ModelRun, readModelStream } from "./model-stream.js";
import type { RunContext } from "./run-context.js";
import { passageBatches, stageOpen, textRequests } from "./stage-requests.js";
import { withStage } from "./with-stage.js";

/** One sparse model's vectors: the chunks' on disk, the queries' in memory. */
export interface SparseSpace {
  readonly model: string;
  /** Whether scores need inverse document frequency: values are term frequencies alone. */
  readonly isLexical: boolean;
  readonly vectors: MessageSpool<typeof SparseVectorsSchema>;
  readonly queries: readonly SparseVector[];
  /** Chunks whose vector is not empty. */
  readonly available: number;
  /** BM25 alone: mean words per chunk, which its values are normalised by. */
  readonly averageLength?: number;
  /** What the model did; absent when the vectors were derived from metadata. */
  readonly run?: ModelRun;
}

/** The chunk vectors of a space, block by block. */
export async function* sparseBlocks(space: Pick<SparseSpace, "vectors">): AsyncGenerator<SparseBlock> {
  for await (const message of space.vectors.read()) yield { ...message, firstIndex: Number(message.firstIndex) };
}

/** Mean words per chunk, as the lexical model counts words. */
async function measureAverageLength(context: RunContext, model: string, chunks: ChunkSpool): Promise<number> {
  return withStage(context, "sparse", async (client) => {
    async function* requests(): AsyncGenerator<MessageInitShape<typeof MeasureCorpusRequestSchema>> {
      for await (const { texts } of passageBatches(chunks)) yield { model, texts: texts ?? [] };
    }
    const { texts, words } = await client.measureCorpus(requests(), { signal: context.signal });
    return texts > 0n && words > 0n ? Number(words) / Number(texts) : 0;
  });
}

/** Encodes all chunks and queries with one sparse model. */
export async function encodeWithModel(
  context: RunContext,
  collection: string,
  { model, isLexical }: { readonly model: string; readonly isLexical: boolean },
  chunks: ChunkSpool,
  queries: readonly string[],
  vectors: MessageSpool<typeof SparseVectorsSchema>,
): Promise<SparseSpace> {
  const { emit, signal } = context;
  const averageLength = isLexical ? await measureAverageLength(context, model, chunks) : 0;
  return withStage(context, "sparse", async (client) => {
    await vectors.clear();
    const queryRows: SparseVector[] = [];
    let done = 0;
    let available = 0;
    const total = chunks.count;
    const requests = textRequests(
      stageOpen(context, "sparse", model, { averageLength }),
      passageBatches(chunks),
      queries,
    );
    emit({
      case: "stageStarted",
      value: { collection, stage: Stage.SPARSE, model, total: BigInt(total), unit: "chunks" },
    });
    const run = await readModelStream(
      client.encode(requests, { signal }),
      () => undefined,
      async (block) => {
        if (block.inputType === InputType.QUERY) {
          queryRows.push(...unpackSparse({ ...block, firstIndex: 0 }));
          return;
        }
        await vectors.append(block);
        done += block.rowLengths.length;
        available += block.rowLengths.filter((length) => length > 0).length;
        emit({
          case: "stageProgress",
          value: { collection, stage: Stage.SPARSE, model, done: BigInt(done), total: BigInt(total) },
        });
      },
    );
    if (done !== total)
      throw new RaglineError(
        "INTERNAL",
        "VECTORS_MISSING",
        `the sparse service gave ${done} of ${total} vectors of ${model}`,
      );
    return { model, isLexical, vectors, queries: queryRows, available, ...(isLexical ? { averageLength } : {}), run };
  });
}
