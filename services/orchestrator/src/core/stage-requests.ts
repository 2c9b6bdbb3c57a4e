import type { MessageInitShape } from "@bufbuild/protobuf";
import { InputType, Precision, type StageOpenSchema, type TextBatchSchema } from "@ragline/contracts";
import type { ChunkSpool } from "./chunk-spool.js";
import type { RunContext, StageName } from "./run-context.js";

const precisions = { auto: Precision.AUTO, fp32: Precision.FP32, int8: Precision.INT8 } as const;

/** The opening message of a stage's stream. */
export function stageOpen(
  context: Pick<RunContext, "settings" | "stages" | "runId">,
  stage: StageName,
  model: string,
  options: { readonly averageLength?: number; readonly maxBatchItems?: number } = {},
): MessageInitShape<typeof StageOpenSchema> {
  const { settings, stages, runId } = context;
  return {
    model,
    precision: precisions[settings.precision],
    runId,
    leaseBroker: stages.leaseBroker(stage),
    maxBatchTokens: settings.maxBatchTokens,
    ...options,
  };
}

/** All chunks as batches of passages. */
export async function* passageBatches(chunks: ChunkSpool): AsyncGenerator<MessageInitShape<typeof TextBatchSchema>> {
  for await (const batch of chunks.batches()) {
    yield {
      firstIndex: BigInt(batch.firstRow),
      inputType: InputType.PASSAGE,
      texts: batch.chunks.map(({ text }) => text),
    };
  }
}

const queriesPerBatch = 16;

/** All queries as batches. */
export function* queryBatches(queries: readonly string[]): Generator<MessageInitShape<typeof TextBatchSchema>> {
  for (let at = 0; at < queries.length; at += queriesPerBatch) {
    yield { firstIndex: BigInt(at), inputType: InputType.QUERY, texts: queries.slice(at, at + queriesPerBatch) };
  }
}
