import { type CallUnit, joinCalls } from "./call-unit.js";
import { finishTexts, type PoolJob, type PoolRun, rejectRun } from "./pool-job.js";
import type { CallResult } from "./worker-protocol.js";

// Tokens that are no padding, of those in a joined call.
const leastShare = 0.75;

interface Source {
  readonly run: PoolRun;
  readonly position: number;
}

/** The result of one row of a call. */
function rowResult(result: CallResult, row: number, rows: number): CallResult {
  if (result.kind === "matrix") {
    const width = result.values.length / rows;
    return { kind: "matrix", values: result.values.subarray(row * width, (row + 1) * width) };
  }
  let from = 0;
  for (let before = 0; before < row; before++) from += result.rowLengths[before] ?? 0;
  const to = from + (result.rowLengths[row] ?? 0);
  return {
    kind: "sparse",
    rowLengths: result.rowLengths.subarray(row, row + 1),
    indices: result.indices.subarray(from, to),
    values: result.values.subarray(from, to),
  };
}

/** Hands what becomes of each text of a joined call to the run that it is of. */
function sharedRun(sources: readonly Source[], parts: readonly PoolJob[]): PoolRun {
  const tellEach = (position: number, tell: (source: Source) => void): void => {
    const source = sources[position];
    if (!source) return;
    if (!source.run.settled) tell(source);
    finishTexts(source.run, 1);
  };
  return {
    left: sources.length,
    settled: false,
    traceparent: parts[0]?.run.traceparent,
    onCall: (call) => parts[0]?.run.onCall?.(call),
    onWork: (work) => {
      for (const { run, units } of parts)
        run.onWork?.({ ...work, paddedTokens: units.reduce((sum, { call }) => sum + call.rows * call.columns, 0) });
    },
    onResult: (result, positions) =>
      positions.forEach((position, row) => {
        tellEach(position, ({ run, position: own }) => run.onResult(rowResult(result, row, positions.length), [own]));
      }),
    onTooLarge: (position, message) => tellEach(position, ({ run, position: own }) => run.onTooLarge(own, message)),
    resolve: () => undefined,
    reject: (error) => {
      for (const { run } of parts) if (!run.settled) rejectRun(run, error);
    },
  };
}

const canJoin = ({ units, run, losses, outOfMemory, parts }: PoolJob): boolean =>
  units.length === 1 && !run.settled && !parts && losses === 0 && outOfMemory === 0;

const size = (units: readonly CallUnit[]) => ({
  rows: units.reduce((sum, { call }) => sum + call.rows, 0),
  columns: units.reduce((most, { call }) => Math.max(most, call.columns), 0),
  padded: units.reduce((sum, { call }) => sum + call.rows * call.columns, 0),
});

/**
 * Joins a job with those in the queue that fit into one call with it, which leave the queue: a GPU needs about as long for
 * few rows as for many. Jobs of one call each are joined, as long as the call stays within the budget and little of it is
 * padding; one that has failed before stays alone.
 *
 * @returns the job itself if nothing was joined to it
 */
export function joinJobs(first: PoolJob, queue: PoolJob[], budgetTokens: number): PoolJob {
  if (!canJoin(first)) return first;
  const parts = [first];
  let units = [...first.units];
  for (let at = 0; at < queue.length; ) {
    const next = queue[at];
    const joined = next && canJoin(next) ? [...units, ...next.units] : undefined;
    const { rows, columns, padded } = size(joined ?? []);
    if (next && joined && rows * columns <= budgetTokens && padded >= leastShare * rows * columns) {
      units = joined;
      parts.push(next);
      queue.splice(at, 1);
    } else {
      at++;
    }
  }
  if (parts.length === 1) return first;
  const sources = parts.flatMap(({ run, units: own }) =>
    own.flatMap(({ positions }) => positions.map((position) => ({ run, position }))),
  );
  return { id: first.id, units: [joinCalls(units)], run: sharedRun(sources, parts), parts, losses: 0, outOfMemory: 0 };
}
