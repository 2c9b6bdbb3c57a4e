import type { MessageInitShape } from "@bufbuild/protobuf";
import { SpanStatusCode, trace } from "@opentelemetry/api";
import { InputType, type StageSummarySchema, type TextBatch } from "@ragline/contracts";
import { type InputType as InputTypeName, mapInOrder } from "@ragline/inference";
import { untilAborted } from "@ragline/rpc";
import { toStageError } from "./stage-error.js";
import type { StageSession } from "./stage-session.js";

const tracer = trace.getTracer("ragline");

/** What a text of the batch is to the model. */
export function inputTypeOf(batch: TextBatch): InputTypeName {
  return batch.inputType === InputType.QUERY ? "query" : "passage";
}

/**
 * Works through a stream's items, several at a time, and yields the replies in order; each item is a span
 * `rag.<stage>.batch`. Stops at once when the session ends before its time.
 * @throws RaglineError for whatever the model side throws.
 */
export async function* streamBatches<Item, Reply>(
  stage: StageSession,
  items: AsyncIterable<Item>,
  work: (item: Item) => Promise<{ reply: Reply; items: number; truncated: number; empty?: number }>,
): AsyncGenerator<Reply> {
  const { tally, entry } = stage;
  const runOne = (item: Item): Promise<Reply> =>
    tracer.startActiveSpan(`rag.${entry.stage}.batch`, async (span) => {
      const startedAt = performance.now();
      tally.start();
      try {
        const { reply, ...counts } = await work(item);
        tally.add(counts);
        span.setAttributes({
          "rag.model": entry.key,
          "rag.batch.items": counts.items,
          "rag.batch.truncated": counts.truncated,
        });
        stage.observer.observeLatency((performance.now() - startedAt) / 1000);
        stage.observer.countChunks("ok", counts.items - counts.truncated);
        if (counts.truncated > 0) stage.observer.countChunks("truncated", counts.truncated);
        return reply;
      } catch (cause) {
        const error: unknown = stage.ended.aborted ? stage.ended.reason : toStageError(cause);
        span.recordException(error instanceof Error ? error : String(error));
        span.setStatus({ code: SpanStatusCode.ERROR });
        throw error;
      } finally {
        span.end();
      }
    });
  yield* mapInOrder(untilAborted(items, stage.ended), stage.batchesAhead, runOne);
}

/** The summary of a stream that has ended well. */
export function summarise(stage: StageSession): MessageInitShape<typeof StageSummarySchema> {
  const { stats } = stage.session;
  stage.observer.recordPeakBytes(stage.ready.device ?? "", stats.peakBytes);
  return stage.tally.summary(stats);
}
