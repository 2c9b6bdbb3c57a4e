import type { MemoryModel } from "./memory-model.js";
import type { ModelCall } from "./worker-protocol.js";

/** What is known before the first call. */
export interface CalibrationOptions {
  /** Memory of the worker once its session is open. */
  readonly loadedBytes: number;
  /** Tokens of the longest text that the model takes. */
  readonly maxTokens: number;
}

const warmUpLength = 8;
const probedLengths = [32, 128, 512];
// Where memory does not move at all, for instance because what the loading freed is used again, a token still counts.
const leastBytesPerToken = 1024;
// A token that even the smallest vocabulary has, and that is none's padding; which it is costs no memory.
const probedToken = 5;

function probeCall(columns: number): ModelCall {
  return { rows: 1, columns, ids: new Int32Array(columns).fill(probedToken), lengths: Int32Array.of(columns) };
}

/**
 * Measures a worker's memory by calls of one row, shorter ones first, since a peak never falls.
 *
 * @param run computes a call and tells the highest memory of the worker so far
 * @throws whatever `run` throws
 */
export async function calibrateMemory(
  run: (call: ModelCall) => Promise<{ readonly peakBytes: number }>,
  { loadedBytes, maxTokens }: CalibrationOptions,
): Promise<MemoryModel> {
  const lengths = [...probedLengths.filter((length) => length < maxTokens), Math.min(maxTokens, 512)];
  // The very first call also sets up what all later ones use.
  const warm = Math.max(loadedBytes, (await run(probeCall(warmUpLength))).peakBytes);
  const buckets: { columns: number; bytesPerToken: number }[] = [];
  for (const columns of lengths) {
    const { peakBytes } = await run(probeCall(columns));
    const bytesPerToken = Math.max(leastBytesPerToken, (peakBytes - warm) / columns);
    buckets.push({ columns, bytesPerToken });
  }
  return { loadedBytes: warm, buckets };
}
