import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { type ItemFailure, type Outcome, type OutcomeReason, OutcomeSchema, OutcomeSource } from "@ragline/contracts";

/** Failures of single items for one reason. */
export interface FailureGroup<Item> {
  readonly reason: OutcomeReason;
  count: number;
  /** The first few. */
  readonly items: Item[];
  /** What was said of the first. */
  readonly detail: string;
}

const keptItems = 3;

/** Failures of single items, by reason: however many there are, only the first few are kept. */
export class ItemFailures<Item> {
  readonly #groups = new Map<OutcomeReason, FailureGroup<Item>>();

  /** Groups in the order in which their reasons came up. */
  get groups(): FailureGroup<Item>[] {
    return [...this.#groups.values()];
  }

  /** @param item what identifies it. */
  add({ reason, detail }: ItemFailure, item: Item): void {
    const group: FailureGroup<Item> = this.#groups.get(reason) ?? { reason, count: 0, items: [], detail };
    this.#groups.set(reason, group);
    group.count++;
    if (group.items.length < keptItems) group.items.push(item);
  }
}

/** Ids of a group's items, in brackets. */
export function listIds(ids: readonly string[], count: number): string {
  return `(${ids.join(", ")}${count > ids.length ? ", …" : ""})`;
}

/** A degradation because of a group. */
export function failureOutcome(
  { reason, count }: Pick<FailureGroup<unknown>, "reason" | "count">,
  about: Pick<MessageInitShape<typeof OutcomeSchema>, "stage" | "model" | "detail">,
): Outcome {
  return create(OutcomeSchema, {
    ...about,
    reason,
    source: OutcomeSource.RUNTIME,
    count: BigInt(count),
    degraded: true,
  });
}
