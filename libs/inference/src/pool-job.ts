import type { CallUnit } from "./call-unit.js";
import type { InferenceError } from "./inference-error.js";
import type { DoneWork } from "./work-observer.js";
import type { CallResult, ModelCall } from "./worker-protocol.js";

/** What is done with the results of some calls, text by text. */
export interface CallSink {
  /** The result of one call, and the positions of the texts in its rows. */
  onResult(result: CallResult, positions: readonly number[]): void;
  /** A text that does not fit into a worker's memory even alone. */
  onTooLarge(position: number, message: string): void;
  /** A call was computed. One that has texts of several runs is told to one of them. */
  onCall?(call: ModelCall): void;
}

/** The work of one `run`: it is done when no text is left. */
export interface PoolRun extends CallSink {
  left: number;
  settled: boolean;
  readonly traceparent: string | undefined;
  readonly onWork: ((work: DoneWork) => void) | undefined;
  resolve(): void;
  reject(error: InferenceError): void;
}

/** Calls that one worker computes, one after the other. */
export interface PoolJob {
  readonly id: number;
  readonly units: readonly CallUnit[];
  readonly run: PoolRun;
  /** The jobs that it was joined from, if it was: when it fails they are done apart. */
  readonly parts?: readonly PoolJob[];
  /** How many workers died while they computed it. */
  losses: number;
  /** How often it ran out of memory, or over the limit of the lease, although it is a single text. */
  outOfMemory: number;
}

/** Counts texts of a run as done. */
export function finishTexts(run: PoolRun, texts: number): void {
  run.left -= texts;
  if (run.left > 0 || run.settled) return;
  run.settled = true;
  run.resolve();
}

/** Ends a run with an error. */
export function rejectRun(run: PoolRun, error: InferenceError): void {
  run.settled = true;
  run.reject(error);
}
