import type { StageReady } from "@ragline/contracts";
import type { ModelRun } from "./model-stream.js";
import { ReplicatedStream, type StageResult } from "./replicated-stream.js";
import type { RunContext } from "./run-context.js";
import { type OpenStream, reportReplicas, stageReplicas } from "./stage-replicas.js";
import { stageNumbers } from "./with-stage.js";

/** Work for one model of a stage. */
export interface ModelWork<Name extends "dense" | "sparse" | "rerank", Batch, Result> {
  readonly stage: Name;
  readonly model: string;
  readonly collection: string;
  readonly unit: string;
  /** Items that progress is told of; 0 while their number is not known. */
  readonly total: () => number;
  readonly batches: AsyncIterable<Batch>;
  readonly itemsOf: (batch: Batch) => number;
  /** Of the items of a batch those that progress is told of. @default all */
  readonly progressOf?: (batch: Batch) => number;
  readonly open: OpenStream<Name, Batch>;
  /** Throws when a result is not one of the batch. */
  readonly check: (batch: Batch, result: Result) => void;
  /** @default nothing */
  readonly onReady?: (ready: StageReady) => void;
  readonly onResult: (batch: Batch, result: Result) => Promise<void>;
}

/**
 * Has a model's work done by all replicas of its stage, and tells how it goes.
 * @throws RaglineError when the work fails, or when all replicas are lost.
 */
export async function runModel<Name extends "dense" | "sparse" | "rerank", Batch, Result extends StageResult>(
  context: RunContext,
  work: ModelWork<Name, Batch, Result>,
): Promise<ModelRun> {
  const { emit, signal } = context;
  const { stage, model, collection, unit, itemsOf, progressOf = itemsOf } = work;
  const progress = () => ({ collection, stage: stageNumbers[stage], model, total: BigInt(work.total()) });
  let done = 0;
  const onStart = () => emit({ case: "stageStarted", value: { ...progress(), unit } });
  const stream = new ReplicatedStream<Batch, Result>({
    replicas: await stageReplicas(context, stage, work.open, onStart),
    batches: work.batches,
    itemsOf,
    check: work.check,
    onReady: work.onReady ?? (() => undefined),
    onResult: async (batch, result) => {
      await work.onResult(batch, result);
      const items = progressOf(batch);
      if (items === 0) return;
      done += items;
      emit({ case: "stageProgress", value: { ...progress(), done: BigInt(done) } });
    },
    signal,
  });
  try {
    return await stream.run();
  } finally {
    if (!signal.aborted) reportReplicas(context, stage, model, stream.reports);
  }
}
