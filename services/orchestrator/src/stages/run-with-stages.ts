import type { SettingProvenance } from "@ragline/config";
import { readModels, type StoreEvents, useModels } from "@ragline/models";
import { type Metrics, runMetrics, type Tracing } from "@ragline/telemetry";
import type { StageName } from "../core/run-context.js";
import type { RunEvent } from "../core/run-events.js";
import { runPipeline } from "../core/run-pipeline.js";
import type { RunSummary } from "../core/run-summary.js";
import type { RunSettings } from "../run-settings.js";
import { parseEndpoints } from "./parse-endpoints.js";
import { deviceSource, runLeases } from "./run-leases.js";
import { RunTelemetry } from "./run-telemetry.js";
import { neededModels, stageModels } from "./stage-models.js";
import { StageProcesses } from "./stage-processes.js";

/** A run in this process. */
export interface LocalRun {
  readonly settings: RunSettings;
  readonly provenance: readonly SettingProvenance[];
  /** Least severe log lines of the stages that are started. */
  readonly logLevel: string;
  /** Where the run counts. */
  readonly metrics: Metrics;
  readonly tracing: Tracing;
  /** What of another command, which the run is a part of, gathers what its processes tell. @default its own */
  readonly telemetry?: RunTelemetry;
  readonly signal: AbortSignal;
  readonly onEvent: (event: RunEvent) => void;
  /** Told of models that are pulled before the run begins. */
  readonly storeEvents?: StoreEvents;
  /** Told of each line that a stage logs. */
  readonly onLine: (line: string) => void;
  /** Told what of the telemetry did not work. */
  readonly onWarning: (message: string) => void;
  /** Told of the stages once they are open, for those who watch their processes. */
  readonly onStages?: (stages: StageProcesses) => void;
}

function neededStages({ enableSparse, enableRerank }: RunSettings): StageName[] {
  return [
    "dense",
    "export",
    ...(enableSparse ? (["sparse"] as const) : []),
    ...(enableRerank ? (["rerank"] as const) : []),
  ];
}

/**
 * Runs the pipeline over the stages that the settings name; those that are not running are started, and ended with the run.
 * @throws ConfigError, RaglineError
 */
export async function runWithStages(run: LocalRun): Promise<RunSummary> {
  const { settings, provenance, logLevel, metrics, tracing, signal, onEvent, onLine, onWarning } = run;
  useModels(readModels(settings.modelsFile));
  const endpoints = parseEndpoints(settings.endpoints ?? []);
  const telemetry = run.telemetry ?? (await RunTelemetry.begin({ settings, metrics, tracing, onWarning }));
  const stages = await StageProcesses.open({
    endpoints,
    workers: settings.workers,
    leases: runLeases({ ...settings, source: deviceSource(provenance) }, signal),
    exclusive: settings.exclusiveEnsemble,
    modelSettings: settings,
    logLevel,
    onLine,
    ...(settings.otlpEndpoint ? { otlpEndpoint: settings.otlpEndpoint } : {}),
    onConnect: (name, address, isChild) => telemetry.attach(name, address, isChild),
  });
  run.onStages?.(stages);
  metrics.watchCaps(() => stages.devices);
  let warmed = false;
  try {
    // Sparse and rerank have fallbacks; without these two there is no run.
    await stages.assertReachable(["dense", "export"]);
    return await runPipeline({
      settings,
      provenance,
      stages,
      metrics: runMetrics(metrics),
      telemetry,
      signal,
      prepare: () =>
        stageModels(neededModels(settings), { settings, elsewhere: endpoints, signal, ...run.storeEvents }),
      onEvent: (event) => {
        // Only now is it sure that there is something to do. The dense service starts while the sources are read, the
        // others once it works: all at once they would only take the processor from each other.
        if (event.case === "started") stages.warm(["dense"]);
        if (event.case === "stageProgress" && !warmed) {
          warmed = true;
          stages.warm(neededStages(settings));
        }
        onEvent(event);
      },
    });
  } finally {
    await (run.telemetry ? telemetry.settle() : telemetry.finish());
    await stages.close();
  }
}
