import { xoroshiro128plus } from "pure-rand/generator/xoroshiro128plus";
import { mean } from "./measure-run.js";

/** How to resample. */
export interface BootstrapOptions {
  /** Share of the resampled means inside the interval. @default 0.95 */
  readonly confidence?: number;
  /** Resampled sets of values. @default 10,000 */
  readonly samples?: number;
  /** Seed of the resampling; the same seed gives the same interval. @default 1 */
  readonly seed?: number;
}

/** A mean and where it may be. */
export interface Interval {
  readonly mean: number;
  readonly low: number;
  readonly high: number;
}

/**
 * Percentile bootstrap interval of a mean over queries: Efron and Tibshirani, "An Introduction to the Bootstrap", chapter
 * 13. For an interval of a difference give the differences (`pairedDifferences`).
 * @param values one for each query; none give an interval of zeros.
 * @throws RangeError when an option is out of its range.
 */
export function bootstrapInterval(values: readonly number[], options: BootstrapOptions = {}): Interval {
  const { confidence = 0.95, samples = 10_000, seed = 1 } = options;
  if (!(confidence > 0 && confidence < 1)) throw new RangeError(`the confidence is ${confidence}; give one in (0, 1)`);
  if (!Number.isSafeInteger(samples) || samples < 1) throw new RangeError(`${samples} samples; give 1 or more`);
  const count = values.length;
  if (count === 0) return { mean: 0, low: 0, high: 0 };
  const random = xoroshiro128plus(seed);
  const means = new Float64Array(samples);
  for (let sample = 0; sample < samples; sample++) {
    let sum = 0;
    // The high bits of 32 scaled to the range: a bias of count / 2^32 is far below the resampling's own noise.
    for (let i = 0; i < count; i++) sum += values[Math.floor(((random.next() >>> 0) / 2 ** 32) * count)] as number;
    means[sample] = sum / count;
  }
  means.sort();
  const at = (share: number) => means[Math.min(samples - 1, Math.max(0, Math.round(share * (samples - 1))))] as number;
  const tail = (1 - confidence) / 2;
  return { mean: mean(values), low: at(tail), high: at(1 - tail) };
}
