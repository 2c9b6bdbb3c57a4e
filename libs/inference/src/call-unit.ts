import type { ModelCall } from "./worker-protocol.js";

/** A call of the model and the positions, in the caller's list, of the texts in its rows. */
export interface CallUnit {
  readonly call: ModelCall;
  readonly positions: readonly number[];
}

function rowsOf(unit: CallUnit, from: number, to: number): CallUnit {
  const { columns, ids, lengths, secondTypeFrom, padId = 0 } = unit.call;
  const call = {
    rows: to - from,
    columns,
    padId,
    ids: ids.slice(from * columns, to * columns),
    lengths: lengths.slice(from, to),
    ...(secondTypeFrom ? { secondTypeFrom: secondTypeFrom.slice(from, to) } : {}),
  };
  return { call, positions: unit.positions.slice(from, to) };
}

/** Two halves of some work, by calls or else by the rows of the one call; undefined for a single text. */
export function halve(units: readonly CallUnit[]): [CallUnit[], CallUnit[]] | undefined {
  if (units.length > 1) {
    const middle = units.length >> 1;
    return [units.slice(0, middle), units.slice(middle)];
  }
  const [unit] = units;
  if (!unit || unit.call.rows < 2) return undefined;
  const middle = unit.call.rows >> 1;
  return [[rowsOf(unit, 0, middle)], [rowsOf(unit, middle, unit.call.rows)]];
}

/** Padded tokens of the largest of some calls. */
export function largestCallTokens(units: readonly CallUnit[]): number {
  return units.reduce((most, { call }) => Math.max(most, call.rows * call.columns), 0);
}
