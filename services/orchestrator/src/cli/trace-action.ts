import { readFile } from "node:fs/promises";
import { criticalPath, readTrace, TraceFormatError } from "@ragline/telemetry";
import { exitCodes } from "./exit-codes.js";
import { traceText } from "./trace-text.js";

/** Prints a trace file as a tree with its critical path, and returns the exit code. */
export async function traceAction(path: string, { json = false }: { readonly json?: boolean }): Promise<number> {
  try {
    const tree = readTrace(await readFile(path, "utf8"));
    const object = () => ({
      ...tree,
      criticalPath: tree.roots.flatMap((root) =>
        criticalPath(root).map(({ node: { name, spanId, service }, ms }) => ({ name, spanId, service, ms })),
      ),
    });
    process.stdout.write(json ? `${JSON.stringify(object(), undefined, 2)}\n` : `${traceText(tree)}\n`);
    return exitCodes.done;
  } catch (error) {
    const isFormat = error instanceof TraceFormatError;
    if (!isFormat && (error as NodeJS.ErrnoException).code === undefined) throw error;
    const why = isFormat ? error.message : `it cannot be read: ${(error as Error).message}`;
    process.stderr.write(`ragline: ${path} is no trace that can be shown: ${why}\n`);
    return exitCodes.wrongUsage;
  }
}
