import type { GraphInputs, ModelCall } from "./worker-protocol.js";

/** Column of a row's first token. */
export function firstColumn(call: ModelCall, row: number, { paddingSide }: Pick<GraphInputs, "paddingSide">): number {
  return paddingSide === "left" ? call.columns - (call.lengths[row] ?? 0) : 0;
}
