import { join } from "node:path";
import { resolveSettings } from "@ragline/config";
import { readModels, useModels } from "@ragline/models";
import { Presets, SingleBar } from "cli-progress";
import type { Command } from "commander";
import { writeChunkDirectory } from "../core/chunk-directory.js";
import { chunkOptions } from "../core/chunk-options.js";
import { isHarmless } from "../core/collect-chunks.js";
import { nameOfInputs } from "../core/plan-collections.js";
import { toRunError, usageError } from "../core/usage-error.js";
import { traceCommand } from "../stages/trace-command.js";
import { type ChunkEmbedder, openChunkEmbedder } from "./chunk-embedder.js";
import { chunkSettings } from "./chunk-settings.js";
import { chunkText, ledgerOf } from "./chunk-text.js";
import { describeFailure } from "./describe-failure.js";
import { exitCodes } from "./exit-codes.js";
import { interruption } from "./interruption.js";
import { readFlags } from "./setting-options.js";
import { type CliTelemetry, startCliTelemetry } from "./start-cli-telemetry.js";

/** The flags of `ragline chunk` beside its settings. */
export interface ChunkFlags {
  readonly incremental?: boolean;
  readonly json?: boolean;
}

/** Shows on a terminal how many documents are done. */
function progressBar(): { onProgress: (done: number, total: number) => void; end: () => void } {
  const stream = process.stderr;
  if (!stream.isTTY || process.env["CI"] !== undefined) return { onProgress: () => undefined, end: () => undefined };
  const format = "chunk  {bar} {percentage}%  {value}/{total} documents  {eta_formatted} left";
  const bar = new SingleBar(
    { stream, format, clearOnComplete: true, hideCursor: true, fps: 10 },
    Presets.shades_classic,
  );
  bar.start(1, 0);
  return {
    onProgress: (done, total) => {
      bar.setTotal(total);
      bar.update(done);
    },
    end: () => bar.stop(),
  };
}

/** Chunks documents as the command line asks, prints the ledger, and returns the exit code. */
export async function chunkAction(flags: ChunkFlags, command: Command): Promise<number> {
  const { incremental = false, json = false } = flags;
  const { signal, interrupted } = interruption();
  let telemetry: CliTelemetry | undefined;
  const bar = progressBar();
  let embedder: ChunkEmbedder | undefined;
  try {
    const { values: settings, provenance } = resolveSettings(chunkSettings, {
      flags: readFlags(command, chunkSettings),
      env: process.env,
      dotenvPath: ".env",
    });
    const { input, collections, outputDir, failOn, traceFile, otlpEndpoint } = settings;
    telemetry = await startCliTelemetry({ otlpEndpoint });
    if (input === null || input.length === 0)
      throw usageError("NO_INPUT", "there is nothing to chunk: give documents with --input <file or directory>");
    if (collections !== null && collections.length > 1)
      throw usageError("MANY_NAMES", "--collections names several collections, but --input makes one; give one name");
    const collection = collections?.[0] ?? (await nameOfInputs(input));
    useModels(readModels(settings.modelsFile));
    const startedAt = performance.now();
    const tracing = { settings: { traceFile }, ...telemetry };
    const summary = await traceCommand("rag.chunk", { "rag.collection": collection }, tracing, async (gathering) => {
      if (settings.chunkStrategy === "semantic")
        embedder = await openChunkEmbedder(settings, provenance, collection, signal, gathering);
      const chunking = {
        ...(await chunkOptions(settings, collection, signal)),
        ...(embedder ? { embed: embedder.embed } : {}),
      };
      const directory = join(outputDir, collection);
      try {
        return await writeChunkDirectory({
          inputs: input,
          directory,
          chunking,
          incremental,
          signal,
          onProgress: bar.onProgress,
        });
      } finally {
        await embedder?.finish();
      }
    });
    bar.end();
    const seconds = (performance.now() - startedAt) / 1000;
    const ledger = ledgerOf(summary.documents);
    process.stdout.write(
      json ? `${JSON.stringify({ ...summary, ledger, seconds }, undefined, 2)}\n` : `${chunkText(summary, seconds)}\n`,
    );
    const degraded = summary.skipped.some(({ reason }) => !isHarmless(reason));
    if (degraded && failOn === "degraded") return exitCodes.degraded;
    return summary.documents.length === 0 ? exitCodes.wrongUsage : exitCodes.done;
  } catch (error) {
    bar.end();
    if (interrupted()) {
      process.stderr.write("ragline: stopped; nothing was written\n");
      return exitCodes.interrupted;
    }
    const { code, message, reason } = describeFailure(toRunError(error));
    if (json) process.stdout.write(`${JSON.stringify({ error: { reason, message } }, undefined, 2)}\n`);
    process.stderr.write(`ragline: ${message}\n`);
    return code;
  } finally {
    await embedder?.close();
    await telemetry?.close();
  }
}
