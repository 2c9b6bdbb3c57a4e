import type { StageOpen } from "@ragline/contracts";
import { RaglineError } from "@ragline/rpc";

/** A request of a stage's stream: `open` first, then items of the kinds that the stage takes. */
interface StageRequest {
  readonly kind: { readonly case: string | undefined; readonly value?: unknown };
}

type ItemOf<Request extends StageRequest, Case extends string> =
  Extract<Request["kind"], { case: Case }> extends { value: infer Value } ? Value : never;

async function* itemsOf<Request extends StageRequest, Case extends string>(
  requests: AsyncIterator<Request>,
  itemCase: Case,
): AsyncGenerator<ItemOf<Request, Case>> {
  try {
    for (let next = await requests.next(); !next.done; next = await requests.next()) {
      const { kind } = next.value;
      if (kind.case !== itemCase) {
        throw new RaglineError(
          "INVALID_ARGUMENT",
          "UNEXPECTED_MESSAGE",
          `after "open" the stream takes only "${itemCase}", not "${kind.case ?? "an empty message"}"`,
        );
      }
      yield kind.value as ItemOf<Request, Case>;
    }
  } finally {
    await requests.return?.();
  }
}

/**
 * Splits a stage's request stream into its opening message and the items that follow.
 * @throws RaglineError INVALID_ARGUMENT when the first message is not `open`, or (while reading the items) when a later one is of another kind.
 */
export async function takeOpen<Request extends StageRequest, Case extends string>(
  requests: AsyncIterable<Request>,
  itemCase: Case,
): Promise<{ open: StageOpen; items: AsyncGenerator<ItemOf<Request, Case>> }> {
  const reading = requests[Symbol.asyncIterator]();
  const first = await reading.next();
  if (first.done || first.value.kind.case !== "open") {
    await reading.return?.();
    throw new RaglineError(
      "INVALID_ARGUMENT",
      "OPEN_MISSING",
      'the first message of the stream must be "open", with the model to use',
    );
  }
  return { open: first.value.kind.value as StageOpen, items: itemsOf(reading, itemCase) };
}
