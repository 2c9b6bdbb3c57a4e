import { joinCalls } from "./call-unit.js";
import { finishTexts, type PoolJob, type PoolRun, rejectRun } from "./pool-job.js";
import type { CallResult, ModelCall } from "./worker-protocol.js";

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

/** How large a call is, or several that are to be joined. */
interface Size {
  readonly rows: number;
  /** Of the longest text. */
  readonly columns: number;
  /** As the calls are padded alone. */
  readonly tokens: number;
}

function fits({ rows, columns, tokens }: Size, limits: JoinLimits): boolean {
  const padded = rows * columns;
  return rows <= limits.rows && padded <= limits.tokens && tokens >= leastShare * padded;
}

const canJoin = ({ units, run, losses, outOfMemory, parts }: PoolJob): boolean =>
  units.length === 1 && !run.settled && !parts && losses === 0 && outOfMemory === 0;

/** How large a joined call may be. */
export interface JoinLimits {
  /** Most padded tokens. */
  readonly tokens: number;
  /** Most texts. */
  readonly rows: number;
}

/** A call of the rows of both. */
const joinedSize = (size: Size, { rows, columns }: ModelCall): Size => ({
  rows: size.rows + rows,
  columns: Math.max(size.columns, columns),
  tokens: size.tokens + rows * columns,
});

/**
 * Joins a job with those in the queue that fit into one call with it, which leave the queue: a GPU needs about as long for
 * few rows as for many. Jobs of one call each are joined, as long as the call stays within its limits and little of it is
 * padding; one that has failed before stays alone.
 *
 * @returns the job itself if nothing was joined to it
 */
export function joinJobs(first: PoolJob, queue: PoolJob[], limits: JoinLimits): PoolJob {
  const [own] = first.units;
  if (!own || !canJoin(first)) return first;
  const parts = [first];
  const units = [own];
  let size = joinedSize({ rows: 0, columns: 0, tokens: 0 }, own.call);
  for (let at = 0; at < queue.length; ) {
    const next = queue[at];
    const unit = next && canJoin(next) ? next.units[0] : undefined;
    const joined = unit && joinedSize(size, unit.call);
    if (next && unit && joined && fits(joined, limits)) {
      size = joined;
      units.push(unit);
      parts.push(next);
      queue.splice(at, 1);
    } else {
      at++;
    }
  }
  if (parts.length === 1) return first;
  const sources = parts.flatMap(({ run }, part) =>
    (units[part]?.positions ?? []).map((position) => ({ run, position })),
  );
  return { id: first.id, units: [joinCalls(units)], run: sharedRun(sources, parts), parts, losses: 0, outOfMemory: 0 };
}
