import { OutcomeReason } from "@ragline/contracts";
import type { Client } from "@ragline/rpc";
import type { StageReply } from "./model-stream.js";
import type { Replica, ReplicaReport } from "./replica.js";
import type { RunContext, StageName, StageServices } from "./run-context.js";
import { report, stageNumbers } from "./with-stage.js";

/** Opens a stream of batches to one service. */
export type OpenStream<Name extends StageName, Batch> = (
  client: Client<StageServices[Name]>,
  batches: AsyncIterable<Batch>,
  signal: AbortSignal,
) => AsyncIterable<StageReply>;

/**
 * The services of a stage as replicas.
 * @param onStart told when the stage is there, and each time that a child of ours was started again.
 */
export async function stageReplicas<Name extends StageName, Batch>(
  { stages }: Pick<RunContext, "stages">,
  name: Name,
  open: OpenStream<Name, Batch>,
  onStart: () => void,
): Promise<Replica<Batch>[]> {
  const clients = await stages.clients(name);
  onStart();
  return clients.map(({ address, client: first }, i) => {
    let client: Client<StageServices[Name]> | undefined = first;
    return {
      address,
      async open(batches, signal) {
        if (!client) {
          client = (await stages.clients(name))[i]?.client ?? first;
          onStart();
        }
        return open(client, batches, signal);
      },
      async hasDied() {
        const died = await stages.hasDied(name);
        if (died) client = undefined;
        return died;
      },
    };
  });
}

/** Tells of replicas that were lost, refused work or fell behind. */
export function reportReplicas(
  context: RunContext,
  name: StageName,
  model: string,
  reports: readonly ReplicaReport[],
): void {
  for (const { address, losses, restarts, passedOn, lastError } of reports) {
    if (losses === 0 && passedOn === 0) continue;
    const service = `the ${name} service at ${address}`;
    const said = lastError instanceof Error ? ` (${lastError.message})` : "";
    const outcome = { stage: stageNumbers[name], model };
    if (restarts > 0) {
      const detail = `the ${name} service died ${times(restarts)} while it worked${said}; it was started again and went on from the first batch without an answer`;
      report(context, { ...outcome, reason: OutcomeReason.EXECUTOR_UNAVAILABLE, count: BigInt(restarts), detail });
    } else if (reports.length === 1) {
      const detail = `${service} failed or refused work ${times(losses)}${said}; it was asked again from the first batch without an answer`;
      report(context, { ...outcome, reason: OutcomeReason.EXECUTOR_UNAVAILABLE, count: BigInt(losses), detail });
    } else {
      const what = losses > 0 ? `failed or refused work ${times(losses)}${said}` : "fell behind";
      const detail = `${service} ${what}; ${passedOn} of its batches went to the other replicas`;
      report(context, { ...outcome, reason: OutcomeReason.REPLICA_LOST, count: BigInt(passedOn), detail });
    }
  }
}

const times = (count: number): string => (count === 1 ? "once" : `${count} times`);
