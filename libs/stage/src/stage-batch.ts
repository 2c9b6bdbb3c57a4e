import type { MessageInitShape } from "@bufbuild/protobuf";
import {
  InputType,
  type ItemFailureSchema,
  OutcomeReason,
  type StageSummarySchema,
  type TextBatch,
} from "@ragline/contracts";
import { type InputType as InputTypeName, mapInOrder, type TextFailure } from "@ragline/inference";
import { untilAborted } from "@ragline/rpc";
import { toBatchResize } from "./batch-resize.js";
import { toStageError } from "./stage-error.js";
import type { StageSession } from "./stage-session.js";

/** What a text of the batch is to the model. */
export function inputTypeOf(batch: TextBatch): InputTypeName {
  return batch.inputType === InputType.QUERY ? "query" : "passage";
}

/** The reply to one batch, and what is counted of it. */
export interface BatchResult<Reply> {
  readonly reply: Reply;
  readonly items: number;
  readonly truncated: number;
  /** Texts whose result is the mean over their parts. @default 0 */
  readonly averaged?: number;
  /** Texts whose result is empty. @default 0 */
  readonly empty?: number;
  /** Texts without a result. @default 0 */
  readonly failed?: number;
}

// Words of natural language have fewer tokens than this makes of them; a text's own count is known only once it is cut.
const charactersPerToken = 4;

/** About how many tokens some texts have for a model that reads at most `maxTokens` of each. */
function roughTokens(texts: Iterable<string>, maxTokens: number): number {
  let tokens = 0;
  for (const text of texts) tokens += Math.min(maxTokens, 2 + Math.ceil(text.length / charactersPerToken));
  return tokens;
}

/**
 * Works through a stream's items, several at a time, and yields the replies in order; each item is a span
 * `rag.<stage>.batch`. Stops at once when the session ends before its time.
 * @throws RaglineError RESOURCE_EXHAUSTED QUEUE_FULL when the service has too much to do to take a batch, and for
 * whatever the model side throws.
 */
export async function* streamBatches<Item, Reply>(
  stage: StageSession,
  items: AsyncIterable<Item>,
  textsOf: (item: Item) => Iterable<string>,
  work: (item: Item) => Promise<BatchResult<Reply>>,
): AsyncGenerator<Reply> {
  const { tally, entry, spans } = stage;
  const compute = async (item: Item): Promise<BatchResult<Reply>> => {
    const startedAt = performance.now();
    tally.start();
    let leave: (() => void) | undefined;
    try {
      leave = stage.queue.admit(roughTokens(textsOf(item), entry.maxTokens));
      const result = await work(item);
      tally.add(result);
      stage.observer.observeLatency((performance.now() - startedAt) / 1000);
      const { items: count, truncated, failed = 0 } = result;
      stage.observer.countChunks("ok", count - truncated - failed);
      if (failed > 0) stage.observer.countChunks("failed", failed);
      if (truncated > 0) stage.observer.countChunks("truncated", truncated);
      return result;
    } catch (cause) {
      throw stage.ended.aborted ? stage.ended.reason : toStageError(cause);
    } finally {
      leave?.();
    }
  };
  const runOne = async (item: Item): Promise<Reply> => {
    const { reply } = await spans.run(
      () => compute(item),
      (result) => result,
    );
    return reply;
  };
  try {
    yield* mapInOrder(untilAborted(items, stage.ended), () => stage.batchesAhead, runOne);
  } finally {
    spans.close();
  }
}

/** The reasons of texts without a result, in the words of the contract. */
export function itemFailures(failures: readonly TextFailure[]): MessageInitShape<typeof ItemFailureSchema>[] {
  return failures.map(({ position, message: detail }) => ({
    position,
    reason: OutcomeReason.OUT_OF_MEMORY,
    detail,
  }));
}

/** The summary of a stream that has ended well. */
export function summarise(stage: StageSession): MessageInitShape<typeof StageSummarySchema> {
  const { session, workers } = stage;
  const devices = workers.devices;
  for (const { device = "", peakBytes = 0n } of devices) stage.observer.recordPeakBytes(device, Number(peakBytes));
  const { budget, stats } = session;
  stage.tell("rag.model.done", {
    "rag.model": stage.entry.key,
    "rag.calls": stats.calls,
    "gen_ai.usage.input_tokens": stats.tokens,
    "rag.padded_tokens": stats.paddedTokens,
    "rag.peak_bytes": stats.peakBytes,
    "rag.workers_lost": stats.workersLost,
    "rag.out_of_memory": stats.outOfMemory,
  });
  return stage.tally.summary(session.stats, {
    devices,
    resizes: budget.resizes.map(toBatchResize),
    resizeCount: BigInt(budget.resizeCount),
    softLimitCrossings: BigInt(workers.softLimitCrossings),
    leasesLost: workers.leasesLost,
    leaseEvents: [...workers.events],
    memoryKills: workers.memoryKills,
  });
}
