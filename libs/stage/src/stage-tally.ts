import type { MessageInitShape } from "@bufbuild/protobuf";
import {
  OutcomeReason,
  type OutcomeSchema,
  OutcomeSource,
  type Stage,
  type StageSummarySchema,
} from "@ragline/contracts";
import type { SessionStats } from "@ragline/inference";

/** Counts what passes through a stage's stream and gathers what did not go as asked. */
export class StageTally {
  readonly #stage: Stage;
  readonly #model: string;
  #items = 0;
  #truncated = 0;
  #empty = 0;
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
  add(batch: { items: number; truncated: number; empty?: number }): void {
    this.#items += batch.items;
    this.#truncated += batch.truncated;
    this.#empty += batch.empty ?? 0;
  }

  /** Keeps a typed outcome for the summary. */
  report(outcome: MessageInitShape<typeof OutcomeSchema>): void {
    this.#outcomes.push({ stage: this.#stage, model: this.#model, source: OutcomeSource.RUNTIME, ...outcome });
  }

  /** The last answer of a stream that ended well. */
  summary(stats: SessionStats): MessageInitShape<typeof StageSummarySchema> {
    if (this.#truncated > 0) {
      this.report({
        reason: OutcomeReason.TEXT_TRUNCATED,
        count: BigInt(this.#truncated),
        detail: `${this.#truncated} of ${this.#items} texts have more tokens than ${this.#model} takes; what came after was not read`,
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
    return {
      items: BigInt(this.#items),
      batches: BigInt(stats.calls),
      tokens: BigInt(stats.tokens),
      paddedTokens: BigInt(stats.paddedTokens),
      truncated: BigInt(this.#truncated),
      seconds: this.#startedAt === undefined ? 0 : (performance.now() - this.#startedAt) / 1000,
      peakBytes: BigInt(stats.peakBytes),
      workersLost: stats.workersLost,
      outcomes: this.#outcomes,
    };
  }
}
