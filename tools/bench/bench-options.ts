import { parseArgs } from "node:util";

/** What the command line of a benchmark said. */
export interface BenchOptions {
  /** How often everything is measured; medians are reported. */
  readonly rounds: number;
  /** Most items of a measurement, for a first look; all when absent. */
  readonly limit: number | undefined;
  /** Leave nothing out that is otherwise sampled because it is slow. */
  readonly whole: boolean;
  /** Print one JSON object on stdout; what a person reads goes to stderr. */
  readonly json: boolean;
}

/** A command line that cannot be understood. */
export class BenchUsageError extends Error {
  override readonly name = "BenchUsageError";
}

const usage = "[--rounds n] [--limit n] [--whole] [--json]";

function positive(flag: string, text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) {
    throw new BenchUsageError(`${flag} takes a whole number from 1, not "${text}"; usage: ${usage}`);
  }
  return value;
}

/**
 * Reads a benchmark's command line.
 * @throws BenchUsageError that names the flag.
 */
export function parseBenchOptions(args: readonly string[], defaultRounds: number): BenchOptions {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        rounds: { type: "string" },
        limit: { type: "string" },
        whole: { type: "boolean", default: false },
        json: { type: "boolean", default: false },
      },
    });
    return {
      rounds: values.rounds === undefined ? defaultRounds : positive("--rounds", values.rounds),
      limit: values.limit === undefined ? undefined : positive("--limit", values.limit),
      whole: values.whole,
      json: values.json,
    };
  } catch (error) {
    if (error instanceof BenchUsageError) throw error;
    throw new BenchUsageError(`${error instanceof Error ? error.message : String(error)}; usage: ${usage}`);
  }
}
