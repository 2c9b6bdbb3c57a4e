import { xoroshiro128plus } from "pure-rand/generator/xoroshiro128plus";
import { mean } from "./measure-run.js";

/** How to test. */
export interface PairedTestOptions {
  /** Random assignments of signs; all are tried where there are no more than that. @default 100,000 */
  readonly samples?: number;
  /** Seed of the random assignments; the same seed gives the same p. @default 1 */
  readonly seed?: number;
}

/** The outcome of a paired test. */
export interface PairedTest {
  /** Mean of b - a. */
  readonly difference: number;
  /** Two-sided p: how often chance alone gives a difference at least as large. */
  readonly p: number;
  /** Assignments that were tried. */
  readonly samples: number;
  /** Whether every assignment was tried, so that p is exact. */
  readonly isExact: boolean;
}

/** Sums that differ by rounding alone are equal. */
const rounding = 1e-12;

/**
 * Paired randomisation test, two-sided: under the null hypothesis the labels of each query's two values can be swapped.
 * Pairs that are equal cannot change a sum and are left out. A random p is (extreme + 1) / (samples + 1), so never 0.
 * Source: Smucker, Allan and Carterette, "A comparison of statistical significance tests for information retrieval
 * evaluation", CIKM 2007.
 * @param a value of each query in one system.
 * @param b value of the same queries in the other.
 * @throws RangeError when there are not as many values in both, or one is not finite.
 */
export function pairedRandomisationTest(
  a: readonly number[],
  b: readonly number[],
  options: PairedTestOptions = {},
): PairedTest {
  const { samples = 100_000, seed = 1 } = options;
  const differences = pairedDifferences(a, b);
  const difference = mean(differences);
  const changed = differences.filter((value) => value !== 0);
  const isExact = 2 ** changed.length <= samples;
  const observed = Math.abs(changed.reduce((sum, value) => sum + value, 0)) - rounding;
  const count = isExact ? 2 ** changed.length : samples;
  const random = xoroshiro128plus(seed);
  let extreme = 0;
  for (let sample = 0; sample < count; sample++) {
    let sum = 0;
    let signs = sample;
    for (let i = 0; i < changed.length; i++) {
      if (!isExact && i % 32 === 0) signs = random.next();
      sum += (signs >>> (i % 32)) & 1 ? (changed[i] as number) : -(changed[i] as number);
    }
    if (Math.abs(sum) >= observed) extreme++;
  }
  return { difference, p: isExact ? extreme / count : (extreme + 1) / (count + 1), samples: count, isExact };
}

/**
 * b - a for each query.
 * @throws RangeError when there are not as many values in both, or one is not finite.
 */
export function pairedDifferences(a: readonly number[], b: readonly number[]): number[] {
  if (a.length !== b.length) {
    throw new RangeError(`${a.length} values against ${b.length}; a paired test needs the same queries in both`);
  }
  return a.map((value, i) => {
    const difference = (b[i] as number) - value;
    if (!Number.isFinite(difference)) throw new RangeError(`the values of pair ${i} are ${value} and ${b[i]}`);
    return difference;
  });
}
