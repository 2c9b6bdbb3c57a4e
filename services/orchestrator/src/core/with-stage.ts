import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { trace } from "@opentelemetry/api";
import { type Outcome, OutcomeReason, OutcomeSchema, OutcomeSource, Stage } from "@ragline/contracts";
import { type Client, RaglineError } from "@ragline/rpc";
import { enumName } from "./enum-name.js";
import { defaultRetryPolicy, isTransient } from "./retry-policy.js";
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
  const stage = enumName(Stage, complete.stage);
  const reason = enumName(OutcomeReason, complete.reason);
  const source = enumName(OutcomeSource, complete.source);
  if (complete.degraded) context.metrics.countFallback(stage, reason, source);
  trace.getActiveSpan()?.addEvent(complete.degraded ? "rag.fallback" : "rag.note", {
    "rag.stage": stage,
    "rag.reason": reason,
    "rag.source": source,
    "rag.model": complete.model,
    "rag.count": Number(complete.count),
  });
  context.emit({ case: "outcome", value: complete });
  return complete;
}

/**
 * Works with one service of a stage, from the beginning each time: `work` must start from a clean state. If the process
 * is a child of ours and dies meanwhile, it is started again; if it is one of several replicas and is lost, the next
 * one does the work.
 * @throws RaglineError when the work fails, when the process dies again and again, or when every replica was lost.
 */
export async function withStage<Name extends StageName, Result>(
  context: RunContext,
  name: Name,
  work: (client: Client<StageServices[Name]>) => Promise<Result>,
): Promise<Result> {
  const { stages, signal } = context;
  let restarts = 0;
  for (let lost = 0; ; ) {
    const replicas = await stages.clients(name);
    const replica = replicas[lost];
    if (!replica) throw new RaglineError("INTERNAL", "NO_REPLICA", `the ${name} stage has no service; this is a bug`);
    try {
      return await work(replica.client);
    } catch (error) {
      if (signal.aborted) throw error;
      const outcome = { stage: stageNumbers[name], count: 1n };
      const said = error instanceof Error ? error.message : String(error);
      if (lost + 1 < replicas.length && isTransient(error)) {
        lost++;
        const detail = `the ${name} service at ${replica.address} was lost (${said}); the next replica did its work`;
        report(context, { ...outcome, reason: OutcomeReason.REPLICA_LOST, detail });
      } else if (restarts < defaultRetryPolicy.restarts && (await stages.hasDied(name))) {
        restarts++;
        const detail = `the ${name} service died while it worked (${said}); it was started again and its work done anew`;
        report(context, { ...outcome, reason: OutcomeReason.EXECUTOR_UNAVAILABLE, detail });
      } else {
        throw error;
      }
    }
  }
}
