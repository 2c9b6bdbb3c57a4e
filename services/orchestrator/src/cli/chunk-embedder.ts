import type { EmbedTexts } from "@ragline/chunking";
import { resolveSettings, type SettingProvenance, type SettingValues } from "@ragline/config";
import { noRunMetrics } from "@ragline/telemetry";
import { SentenceEmbedder } from "../core/sentence-embedder.js";
import { runSettings } from "../run-settings.js";
import { parseEndpoints } from "../stages/parse-endpoints.js";
import { deviceSource, runLeases } from "../stages/run-leases.js";
import type { RunTelemetry } from "../stages/run-telemetry.js";
import { StageProcesses } from "../stages/stage-processes.js";
import type { chunkSettings } from "./chunk-settings.js";

/** What finds where topics turn. */
export interface ChunkEmbedder {
  readonly embed: EmbedTexts;
  /** Ends its stream; the service lives on. */
  finish(): Promise<void>;
  /** Ends the service, if it was started for this. */
  close(): Promise<void>;
}

/** Opens it over a dense service that is started for it unless one is named. */
export async function openChunkEmbedder(
  values: SettingValues<typeof chunkSettings>,
  provenance: readonly SettingProvenance[],
  collection: string,
  signal: AbortSignal,
  telemetry: Pick<RunTelemetry, "attach">,
): Promise<ChunkEmbedder> {
  const stages = await StageProcesses.open({
    endpoints: parseEndpoints(values.endpoints ?? []),
    workers: values.workers,
    leases: runLeases({ ...values, source: deviceSource(provenance) }, signal),
    exclusive: true,
    modelSettings: values,
    logLevel: "warn",
    onLine: (line) => process.stderr.write(`  ${line}\n`),
    ...(values.otlpEndpoint ? { otlpEndpoint: values.otlpEndpoint } : {}),
    onConnect: (name, address, isChild) => telemetry.attach(name, address, isChild),
  });
  const settings = { ...resolveSettings(runSettings, { env: {} }).values, ...values };
  const context = {
    runId: "chunk",
    settings,
    stages,
    metrics: noRunMetrics,
    emit: () => undefined,
    signal,
    outcomes: [],
  };
  const embedder = new SentenceEmbedder(context, collection);
  return {
    embed: embedder.embed,
    finish: () => embedder.close(),
    close: () => stages.close(),
  };
}
