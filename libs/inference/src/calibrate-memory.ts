import type { MemoryModel } from "./memory-model.js";
import type { ModelCall } from "./worker-protocol.js";

/** What is known before the first call. */
export interface CalibrationOptions {
  /** Memory of the worker once its session is open. */
  readonly loadedBytes: number;
  /** Tokens of the longest text that the model takes. */
  readonly maxTokens: number;
  /**
   * Padded tokens of the calls that are measured, where memory is told too coarsely to see one text in it.
   * @default one text per call
   */
  readonly probeTokens?: number;
  /** @default that of the memory model */
  readonly margin?: number;
}

const warmUpLength = 8;
const probedLengths = [32, 128, 512];
// Where memory does not move at all, for instance because what the loading freed is used again, a token still counts.
const leastBytesPerToken = 1024;
// A token that even the smallest vocabulary has, and that is none's padding; which it is costs no memory.
const probedToken = 5;

function probeCall(rows: number, columns: number): ModelCall {
  const ids = new Int32Array(rows * columns).fill(probedToken);
  return { rows, columns, ids, lengths: new Int32Array(rows).fill(columns) };
}

/**
 * Measures a worker's memory by calls of equal rows, shorter ones first, since a peak never falls.
 *
 * @param run computes a call and tells the highest memory of the worker so far
 * @throws whatever `run` throws
 */
export async function calibrateMemory(
  run: (call: ModelCall) => Promise<{ readonly peakBytes: number }>,
  { loadedBytes, maxTokens, probeTokens = 1, margin }: CalibrationOptions,
): Promise<MemoryModel> {
  const lengths = [...probedLengths.filter((length) => length < maxTokens), Math.min(maxTokens, 512)];
  // The very first call also sets up what all later ones use.
  const warm = Math.max(loadedBytes, (await run(probeCall(1, warmUpLength))).peakBytes);
  const buckets: { columns: number; bytesPerToken: number }[] = [];
  for (const columns of lengths) {
    const rows = Math.max(1, Math.floor(probeTokens / columns));
    const { peakBytes } = await run(probeCall(rows, columns));
    const bytesPerToken = Math.max(leastBytesPerToken, (peakBytes - warm) / (rows * columns));
    buckets.push({ columns, bytesPerToken });
  }
  return { loadedBytes: warm, buckets, ...(margin === undefined ? {} : { margin }) };
}
