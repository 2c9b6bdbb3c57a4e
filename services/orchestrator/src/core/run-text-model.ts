import { InputType, type Outcome } from "@ragline/contracts";
import { RaglineError } from "@ragline/rpc";
import type { ChunkSpool } from "./chunk-spool.js";
import { failureOutcome, ItemFailures, listIds } from "./item-failures.js";
import type { ModelRun } from "./model-stream.js";
import type { StageResult } from "./replicated-stream.js";
import type { RunContext } from "./run-context.js";
import { type ModelWork, runModel } from "./run-model.js";
import { passageBatches, queryBatches, type Texts } from "./stage-requests.js";
import { stageNumbers } from "./with-stage.js";

/** What a stage sends for a batch of texts. */
interface TextResult extends StageResult {
  readonly firstIndex: bigint;
  readonly inputType: InputType;
}

/** Work for a model that makes one vector of each text. */
export interface TextWork<Name extends "dense" | "sparse", Result>
  extends Pick<ModelWork<Name, Texts, Result>, "stage" | "model" | "collection" | "open" | "onReady"> {
  readonly chunks: ChunkSpool;
  /** Known once all chunks are, where they are made from chunks. */
  readonly queries: readonly string[] | Promise<readonly string[]>;
  /** Vectors in a result; NaN when it is not in order. */
  readonly rowsOf: (result: Result) => number;
  readonly onPassages: (result: Result) => Promise<void>;
  readonly onQueries: (result: Result) => void;
}

/**
 * Encodes all chunks, then all queries with one model. Texts that got no vector are among the outcomes of its summary.
 * @throws RaglineError when the stage fails, or sends other vectors than those it was asked for.
 */
export async function runTextModel<Name extends "dense" | "sparse", Result extends TextResult>(
  context: RunContext,
  work: TextWork<Name, Result>,
): Promise<ModelRun> {
  const { stage, model, collection, chunks, queries, rowsOf } = work;
  const failedRows = new ItemFailures<number>();
  const failedQueries = new ItemFailures<number>();
  async function* batches(): AsyncGenerator<Texts> {
    yield* passageBatches(chunks);
    yield* queryBatches(await queries);
  }
  const isQuery = ({ inputType }: Pick<Texts, "inputType">): boolean => inputType === InputType.QUERY;
  const run = await runModel<Name, Texts, Result>(context, {
    stage,
    model,
    collection,
    unit: "chunks",
    total: () => (chunks.isComplete ? chunks.count : 0),
    open: work.open,
    batches: batches(),
    itemsOf: ({ texts }) => texts.length,
    progressOf: (batch) => (isQuery(batch) ? 0 : batch.texts.length),
    check: ({ firstIndex, inputType, texts }, result) => {
      if (result.firstIndex === firstIndex && result.inputType === inputType && rowsOf(result) === texts.length) return;
      const message = `the ${stage} service sent ${rowsOf(result)} vectors of ${model} from ${result.firstIndex} on for ${texts.length} texts from ${firstIndex} on; is it of the same version?`;
      throw new RaglineError("INTERNAL", "BAD_VECTORS", message);
    },
    ...(work.onReady ? { onReady: work.onReady } : {}),
    onResult: async (batch, result) => {
      const failures = isQuery(batch) ? failedQueries : failedRows;
      for (const failure of result.failures) failures.add(failure, Number(batch.firstIndex) + failure.position);
      if (isQuery(batch)) work.onQueries(result);
      else await work.onPassages(result);
    },
  });
  const outcomes: Outcome[] = [];
  for (const group of failedRows.groups) {
    const ids = (await chunks.rows(group.items)).map(({ id }) => id);
    const detail = `${group.count} of ${chunks.count} chunks ${listIds(ids, group.count)} have no ${stage} vector of ${model}, so its results lack them: ${group.detail}`;
    outcomes.push(failureOutcome(group, { stage: stageNumbers[stage], model, detail }));
  }
  for (const group of failedQueries.groups) {
    const detail = `${group.count} of ${(await queries).length} queries have no ${stage} vector of ${model}, so it finds nothing for them: ${group.detail}`;
    outcomes.push(failureOutcome(group, { stage: stageNumbers[stage], model, detail }));
  }
  run.summary.outcomes.push(...outcomes);
  return run;
}
