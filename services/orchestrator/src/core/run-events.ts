import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { type RunResponse, RunResponseSchema } from "@ragline/contracts";

/** What happened in a run, as the contract states it. */
export type RunEvent = NonNullable<Extract<RunResponse["kind"], { case: string }>>;

type RunEventInit = Extract<NonNullable<MessageInitShape<typeof RunResponseSchema>["kind"]>, { case: string }>;

/** Tells one event; fields that are left out have the contract's defaults. */
export type Emit = (event: RunEventInit) => void;

/** An {@link Emit} that hands complete events to a listener. */
export function emitTo(listener: (event: RunEvent) => void): Emit {
  return (init) => {
    const { kind } = create(RunResponseSchema, { kind: init });
    if (kind.case !== undefined) listener(kind);
  };
}
