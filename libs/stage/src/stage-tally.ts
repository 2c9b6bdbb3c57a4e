import type { MessageInitShape } from "@bufbuild/protobuf";
import {
  BatchResize_Cause,
  OutcomeReason,
  type OutcomeSchema,
  OutcomeSource,
  type Stage,
  type StageSummarySchema,
} from "@ragline/contracts";
import type { SessionStats } from "@ragline/inference";

/** What happened to the leases of a stream and to the size of its calls. */
export interface LeasedStats
  extends Pick<MessageInitShape<typeof StageSummarySchema>, "devices" | "leaseEvents" | "resizes"> {
  readonly resizeCount: bigint;
  readonly softLimitCrossings: bigint;
  readonly leasesLost: number;
  /** Workers that were ended because they used more than was granted. */
  readonly memoryKills: number;
}

const noLeases: LeasedStats = { resizeCount: 0n, softLimitCrossings: 0n, leasesLost: 0, memoryKills: 0 };

const causeNames: Readonly<Record<BatchResize_Cause, string>> = {
  [BatchResize_Cause.UNSPECIFIED]: "for no known cause",
  [BatchResize_Cause.OUT_OF_MEMORY]: "out of memory",
  [BatchResize_Cause.SOFT_LIMIT]: "near the limit",
  [BatchResize_Cause.FASTER]: "larger was faster",
  [BatchResize_Cause.NOT_FASTER]: "larger was not faster",
  [BatchResize_Cause.LATENCY]: "replies took too long",
};

/** The causes of changes and how often each was, in brackets. */
function countCauses(resizes: NonNullable<LeasedStats["resizes"]>): string {
  const counts = new Map<BatchResize_Cause, number>();
  for (const { cause = BatchResize_Cause.UNSPECIFIED } of resizes) counts.set(cause, (counts.get(cause) ?? 0) + 1);
  if (counts.size === 0) return "";
  return ` (${[...counts].map(([cause, count]) => `${causeNames[cause]} ${count} x`).join(", ")})`;
}

/** Counts what passes through a stage's stream and gathers what did not go as asked. */
export class StageTally {
  readonly #stage: Stage;
  readonly #model: string;
  #items = 0;
  #truncated = 0;
  #averaged = 0;
  #empty = 0;
  #failed = 0;
  #startedAt: number | undefined;
  readonly #outcomes: MessageInitShape<typeof OutcomeSchema>[] = [];

  constructor(stage: Stage, model: string) {
    this.#stage = stage;
    this.#model = model;
  }

  /** Starts the clock, at the first batch. */
  start(): void {
    this.#startedAt ??= performance.now();
  }

  /** Counts a finished batch. */
  add(batch: { items: number; truncated: number; averaged?: number; empty?: number; failed?: number }): void {
    this.#items += batch.items;
    this.#truncated += batch.truncated;
    this.#averaged += batch.averaged ?? 0;
    this.#empty += batch.empty ?? 0;
    this.#failed += batch.failed ?? 0;
  }

  /** Keeps a typed outcome for the summary. */
  report(outcome: MessageInitShape<typeof OutcomeSchema>): void {
    this.#outcomes.push({ stage: this.#stage, model: this.#model, source: OutcomeSource.RUNTIME, ...outcome });
  }

  /** The last answer of a stream that ended well. */
  summary(stats: SessionStats, leased: LeasedStats = noLeases): MessageInitShape<typeof StageSummarySchema> {
    const { memoryKills, ...leaseCounts } = leased;
    if (this.#truncated > 0) {
      this.report({
        reason: OutcomeReason.TEXT_TRUNCATED,
        count: BigInt(this.#truncated),
        detail: `${this.#truncated} of ${this.#items} texts have more tokens than ${this.#model} takes; what came after was not read`,
      });
    }
    if (this.#averaged > 0) {
      this.report({
        reason: OutcomeReason.TEXT_AVERAGED,
        count: BigInt(this.#averaged),
        detail: `${this.#averaged} of ${this.#items} texts have more tokens than ${this.#model} takes; their vectors are means over all their parts`,
      });
    }
    if (this.#empty > 0) {
      this.report({
        reason: OutcomeReason.EMPTY_VECTOR,
        count: BigInt(this.#empty),
        detail: `${this.#empty} of ${this.#items} texts have no word that ${this.#model} weighs; their vectors are empty`,
      });
    }
    if (stats.workersLost > 0) {
      this.report({
        reason: OutcomeReason.WORKER_LOST,
        count: BigInt(stats.workersLost),
        detail: `${stats.workersLost} worker process(es) of ${this.#model} died; their texts were computed again on new ones`,
      });
    }
    if (leased.leasesLost > 0) {
      this.report({
        reason: OutcomeReason.LEASE_LOST,
        count: BigInt(leased.leasesLost),
        detail: `${leased.leasesLost} lease(s) of ${this.#model} were lost; its work went on under new ones`,
      });
    }
    if (memoryKills > 0) {
      this.report({
        reason: OutcomeReason.MEMORY_LIMIT,
        count: BigInt(memoryKills),
        detail: `${memoryKills} worker process(es) of ${this.#model} used more than their lease and were ended; their texts were computed again on new ones, in smaller calls`,
      });
    }
    const leasedPeak = (leased.devices ?? []).reduce((sum, { peakBytes = 0n }) => sum + peakBytes, 0n);
    const causes = countCauses(leased.resizes ?? []);
    const shrunk = (leased.resizes ?? []).filter(({ fromTokens = 0, toTokens = 0 }) => toTokens < fromTokens).length;
    if (stats.outOfMemory > 0 || shrunk > 0) {
      this.report({
        reason: OutcomeReason.BATCH_RESIZED,
        count: leased.resizeCount,
        detail: `calls of ${this.#model} ran out of memory ${stats.outOfMemory} time(s), and the size of calls was changed ${leased.resizeCount} time(s)${causes}; what ran out of memory was computed again, in smaller calls`,
      });
    }
    return {
      ...leaseCounts,
      outOfMemory: BigInt(stats.outOfMemory),
      failed: BigInt(this.#failed),
      items: BigInt(this.#items),
      batches: BigInt(stats.calls),
      tokens: BigInt(stats.tokens),
      paddedTokens: BigInt(stats.paddedTokens),
      truncated: BigInt(this.#truncated),
      seconds: this.#startedAt === undefined ? 0 : (performance.now() - this.#startedAt) / 1000,
      // Workers do not know what they use of a GPU; it is measured from outside.
      peakBytes: leasedPeak > BigInt(stats.peakBytes) ? leasedPeak : BigInt(stats.peakBytes),
      workersLost: stats.workersLost,
      outcomes: this.#outcomes,
    };
  }
}
