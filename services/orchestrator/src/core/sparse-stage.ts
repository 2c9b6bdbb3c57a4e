import type { MessageInitShape } from "@bufbuild/protobuf";
import type { MeasureCorpusRequestSchema, SparseVectors, SparseVectorsSchema } from "@ragline/contracts";
import { RowTally } from "@ragline/evaluation";
import { type SparseBlock, type SparseVector, unpackSparse } from "@ragline/vectors";
import type { ChunkSpool } from "./chunk-spool.js";
import type { MessageSpool } from "./message-spool.js";
import type { ModelRun } from "./model-stream.js";
import type { RunContext } from "./run-context.js";
import { runTextModel } from "./run-text-model.js";
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
  /** Chunks whose text the model did not read to its end. */
  readonly truncated: RowTally;
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
      for await (const { texts } of passageBatches(chunks)) yield { model, texts };
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
  const averageLength = isLexical ? await measureAverageLength(context, model, chunks) : 0;
  const open = stageOpen(context, "sparse", model, { averageLength });
  const queryRows: SparseVector[] = [];
  let available = 0;
  const truncated = new RowTally();
  const run = await runTextModel<"sparse", SparseVectors>(context, {
    stage: "sparse",
    model,
    collection,
    chunks,
    queries,
    open: (client, batches, signal) => client.encode(textRequests(open, batches, []), { signal }),
    rowsOf: ({ rowLengths }) => rowLengths.length,
    onPassages: async (block) => {
      await vectors.append(block);
      available += block.rowLengths.filter((length) => length > 0).length;
      for (const position of block.truncated) truncated.add(Number(block.firstIndex) + position);
    },
    onQueries: (block) => queryRows.push(...unpackSparse({ ...block, firstIndex: 0 })),
  });
  const lexical = isLexical ? { averageLength } : {};
  return { model, isLexical, vectors, queries: queryRows, available, truncated, ...lexical, run };
}
