import type { MessageInitShape } from "@bufbuild/protobuf";
import { InputType, type LongText, type StageOpenSchema } from "@ragline/contracts";
import type { ChunkSpool } from "./chunk-spool.js";
import { precisionOf } from "./precision-name.js";
import type { RunContext, StageName } from "./run-context.js";

type StageOpenInit = MessageInitShape<typeof StageOpenSchema>;

/** The opening message of a stage's stream. */
export function stageOpen(
  context: Pick<RunContext, "settings" | "stages" | "runId">,
  stage: StageName,
  model: string,
  options: {
    readonly averageLength?: number;
    readonly sideBySide?: number;
    readonly maxBatchItems?: number;
    readonly latencyTargetMs?: number;
    readonly longText?: LongText;
  } = {},
): StageOpenInit {
  const { settings, stages, runId } = context;
  return {
    model,
    precision: precisionOf(settings.precision),
    runId,
    leaseBroker: stages.leaseBroker(stage),
    maxBatchTokens: settings.maxBatchTokens,
    leaseWaitMs: Math.round(settings.leaseTimeout * 1000),
    leasePriority: settings.leasePriority,
    ...options,
  };
}

/** Texts that a stage is sent at once. */
export interface Texts {
  /** Position of the first among all texts of its kind. */
  readonly firstIndex: bigint;
  readonly inputType: InputType;
  readonly texts: string[];
}

/** All chunks as batches of passages. */
export async function* passageBatches(chunks: ChunkSpool): AsyncGenerator<Texts> {
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
export function* queryBatches(queries: readonly string[]): Generator<Texts> {
  for (let at = 0; at < queries.length; at += queriesPerBatch) {
    yield { firstIndex: BigInt(at), inputType: InputType.QUERY, texts: queries.slice(at, at + queriesPerBatch) };
  }
}

/** The requests of a stage's stream over texts: the opening, all passages, then the queries. */
export async function* textRequests(
  open: StageOpenInit,
  passages: AsyncIterable<Texts> | Iterable<Texts>,
  queries: readonly string[],
): AsyncGenerator<{ kind: { case: "open"; value: StageOpenInit } | { case: "texts"; value: Texts } }> {
  yield { kind: { case: "open", value: open } };
  for await (const texts of passages) yield { kind: { case: "texts", value: texts } };
  for (const texts of queryBatches(queries)) yield { kind: { case: "texts", value: texts } };
}
