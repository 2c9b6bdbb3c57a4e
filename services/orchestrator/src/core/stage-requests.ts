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

type TextBatchInit = MessageInitShape<typeof TextBatchSchema>;

/** The requests of a stage's stream over texts: the opening, all passages, then the queries. */
export async function* textRequests(
  open: MessageInitShape<typeof StageOpenSchema>,
  passages: AsyncIterable<TextBatchInit> | Iterable<TextBatchInit>,
  queries: readonly string[],
): AsyncGenerator<{
  kind: { case: "open"; value: MessageInitShape<typeof StageOpenSchema> } | { case: "texts"; value: TextBatchInit };
}> {
  yield { kind: { case: "open", value: open } };
  for await (const texts of passages) yield { kind: { case: "texts", value: texts } };
  for (const texts of queryBatches(queries)) yield { kind: { case: "texts", value: texts } };
}

const queriesPerBatch = 16;

/** All queries as batches. */
function* queryBatches(queries: readonly string[]): Generator<MessageInitShape<typeof TextBatchSchema>> {
  for (let at = 0; at < queries.length; at += queriesPerBatch) {
    yield { firstIndex: BigInt(at), inputType: InputType.QUERY, texts: queries.slice(at, at + queriesPerBatch) };
  }
}
