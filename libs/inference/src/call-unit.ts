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

/** One call of the rows of several, padded to the longest; positions count its rows. */
export function joinCalls(units: readonly CallUnit[]): CallUnit {
  const calls = units.map(({ call }) => call);
  const rows = calls.reduce((sum, call) => sum + call.rows, 0);
  const columns = calls.reduce((most, call) => Math.max(most, call.columns), 0);
  const ids = new Int32Array(rows * columns);
  const lengths = new Int32Array(rows);
  const secondTypeFrom = new Int32Array(rows);
  let at = 0;
  for (const call of calls) {
    for (let row = 0; row < call.rows; row++, at++) {
      const length = call.lengths[row] ?? 0;
      ids.set(call.ids.subarray(row * call.columns, row * call.columns + length), at * columns);
      lengths[at] = length;
      secondTypeFrom[at] = call.secondTypeFrom?.[row] ?? length;
    }
  }
  const isTyped = calls.some((call) => call.secondTypeFrom);
  const padId = calls[0]?.padId ?? 0;
  return {
    call: { rows, columns, ids, lengths, padId, ...(isTyped ? { secondTypeFrom } : {}) },
    positions: Array.from({ length: rows }, (_, row) => row),
  };
}

/** Padded tokens of the largest of some calls. */
export function largestCallTokens(units: readonly CallUnit[]): number {
  return units.reduce((most, { call }) => Math.max(most, call.rows * call.columns), 0);
}
