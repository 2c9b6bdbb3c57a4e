import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { type Outcome, OutcomeReason, OutcomeSchema, OutcomeSource, Stage } from "@ragline/contracts";
import type { Client } from "@ragline/rpc";
import type { RunContext, StageName, StageServices } from "./run-context.js";

/** The contract's number of each stage that is a service. */
export const stageNumbers = {
  dense: Stage.DENSE,
  sparse: Stage.SPARSE,
  rerank: Stage.RERANK,
  export: Stage.EXPORT,
} as const;

/** Records an outcome and tells it. @returns it, complete. */
export function report(context: RunContext, outcome: MessageInitShape<typeof OutcomeSchema>): Outcome {
  const complete = create(OutcomeSchema, { source: OutcomeSource.RUNTIME, ...outcome });
  context.outcomes.push(complete);
  context.emit({ case: "outcome", value: complete });
  return complete;
}

const maxRestarts = 2;

/**
 * Works with a stage. If the stage's process, a child of ours, dies meanwhile, it is started again and the work done
 * anew from its beginning: `work` must start from a clean state each time.
 * @throws RaglineError when the work fails, or when the process dies again and again.
 */
export async function withStage<Name extends StageName, Result>(
  context: RunContext,
  name: Name,
  work: (client: Client<StageServices[Name]>) => Promise<Result>,
): Promise<Result> {
  for (let restarts = 0; ; restarts++) {
    const client = await context.stages.client(name);
    try {
      return await work(client);
    } catch (error) {
      if (context.signal.aborted || restarts >= maxRestarts || !(await context.stages.hasDied(name))) throw error;
      report(context, {
        stage: stageNumbers[name],
        reason: OutcomeReason.EXECUTOR_UNAVAILABLE,
        count: 1n,
        detail: `the ${name} service died while it worked (${error instanceof Error ? error.message : String(error)}); it was started again and its work done anew`,
      });
    }
  }
}
