import { compareDense, type DenseComparison, type RunVerification, verifyRun } from "@ragline/artifacts";
import { listModels } from "@ragline/models";
import { Presets, SingleBar } from "cli-progress";
import { toRunError } from "../core/usage-error.js";
import { verifySources } from "../core/verify-sources.js";
import { describeFailure } from "./describe-failure.js";
import { exitCodes } from "./exit-codes.js";
import { interruption } from "./interruption.js";
import { comparisonText, sourcesText, verificationText } from "./verify-text.js";

/** The flags of `ragline verify`. */
export interface VerifyFlags {
  readonly run: string;
  readonly summaryPath?: string;
  readonly baseline?: string;
  readonly input?: string[];
  readonly json?: boolean;
}

/** Of learned models alone: hashed words may have any index. */
function vocabularySize(name: string): number | undefined {
  return listModels("sparse").find(({ key, loader }) => key === name && loader !== "bm25")?.dimension;
}

/** Shows on a terminal how far the reading is. Returns what is to be told of it, and what takes the bar away. */
function progressBar(stream: NodeJS.WriteStream): {
  onProgress: (read: number, total: number) => void;
  end: () => void;
} {
  if (!stream.isTTY || process.env["CI"] !== undefined) return { onProgress: () => undefined, end: () => undefined };
  const bar = new SingleBar(
    {
      stream,
      format: "verify  {bar} {percentage}%  {eta_formatted} left",
      clearOnComplete: true,
      hideCursor: true,
      fps: 10,
    },
    Presets.shades_classic,
  );
  bar.start(1, 0);
  return {
    onProgress: (read, total) => {
      bar.setTotal(total);
      bar.update(read);
    },
    end: () => bar.stop(),
  };
}

async function verify(flags: VerifyFlags, signal: AbortSignal): Promise<RunVerification> {
  const bar = progressBar(process.stderr);
  const { summaryPath } = flags;
  try {
    return await verifyRun(flags.run, {
      vocabularySize,
      onProgress: bar.onProgress,
      signal,
      ...(summaryPath === undefined ? {} : { summaryPath }),
    });
  } finally {
    bar.end();
  }
}

/** Verifies as the command line asks, prints what was found, and returns the exit code. */
export async function verifyAction(flags: VerifyFlags): Promise<number> {
  const { signal, interrupted } = interruption();
  const { baseline, summaryPath } = flags;
  try {
    const startedAt = performance.now();
    const verification = await verify(flags, signal);
    const seconds = (performance.now() - startedAt) / 1000;
    let differences: DenseComparison[] | undefined;
    // A run whose manifest cannot be read has no files to compare; that is among its problems.
    if (baseline !== undefined && verification.files.length > 1)
      differences = await compareDense(flags.run, baseline, summaryPath === undefined ? {} : { summaryPath });
    const sources =
      verification.files.length > 1
        ? await verifySources(flags.run, {
            signal,
            ...(summaryPath === undefined ? {} : { summaryPath }),
            ...(flags.input === undefined ? {} : { inputs: flags.input }),
          })
        : undefined;
    const sound =
      verification.problems.length === 0 &&
      (differences ?? []).every(({ equal }) => equal) &&
      (sources?.problems ?? []).length === 0;
    if (flags.json) {
      const report = {
        sound,
        ...verification,
        ...(differences ? { baseline: differences } : {}),
        ...(sources ? { sources } : {}),
        seconds,
      };
      process.stdout.write(`${JSON.stringify(report, undefined, 2)}\n`);
    } else {
      const texts = [verificationText(verification, seconds)];
      if (differences && baseline !== undefined) texts.push(comparisonText(differences, baseline));
      if (sources) texts.push(sourcesText(sources));
      process.stdout.write(`${texts.join("\n\n")}\n`);
    }
    return sound ? exitCodes.done : exitCodes.failed;
  } catch (error) {
    if (interrupted()) return exitCodes.interrupted;
    const { code, message } = describeFailure(toRunError(error));
    process.stderr.write(`ragline: ${message}\n`);
    return code;
  }
}
