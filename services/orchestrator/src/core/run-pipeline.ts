import { randomUUID } from "node:crypto";
import { context, type Span } from "@opentelemetry/api";
import { sealManifest } from "@ragline/artifacts";
import type { SettingProvenance } from "@ragline/config";
import { type Outcome, Stage } from "@ragline/contracts";
import { removeStalePartials } from "@ragline/files";
import type { LeaseDeviceState, LeaseEvent } from "@ragline/gpu-lease";
import { findModel } from "@ragline/models";
import { type MetricSnapshot, type RunMetrics, recordAlways } from "@ragline/telemetry";
import type { RunSettings } from "../run-settings.js";
import { version } from "../version.js";
import { buildManifest, type ManifestFacts } from "./build-manifest.js";
import { drawReport } from "./draw-report.js";
import { exportCollection } from "./export-stage.js";
import { fusedLines } from "./fused-lines.js";
import { fusionSettings } from "./fusion-settings.js";
import { type PlannedCollection, planCollections } from "./plan-collections.js";
import { rerankLines } from "./rerank-lines.js";
import { runCollection } from "./run-collection.js";
import type { RunContext, StageClients } from "./run-context.js";
import { type Emit, emitTo, type RunEvent } from "./run-events.js";
import { type CollectionSummary, type RunSummary, summariseCollection } from "./run-summary.js";
import { RunTimeline } from "./run-timeline.js";
import { inSpan } from "./run-trace.js";
import { toRunError } from "./usage-error.js";
import { Workspace } from "./workspace.js";

/** What a run is given. */
export interface RunOptions {
  readonly settings: RunSettings;
  readonly provenance: readonly SettingProvenance[];
  readonly stages: StageClients & {
    readonly leaseEvents: readonly LeaseEvent[];
    readonly devices: readonly LeaseDeviceState[];
  };
  /** Stops the run when it aborts; nothing half-written stays. */
  readonly signal: AbortSignal;
  readonly metrics: RunMetrics;
  /** Done once it is sure that there is something to do, before any of it begins. @default nothing */
  readonly prepare?: () => Promise<void>;
  /** Gathers what the processes of the run tell. @default nothing is gathered */
  readonly telemetry?: {
    collectTrace(traceId: string): Promise<void>;
    snapshot(): Promise<MetricSnapshot>;
  };
  /** Told of everything that happens, in order. */
  readonly onEvent: (event: RunEvent) => void;
}

/** Unknown names, and weights of lists that there will not be, fail before anything is started. */
function checkModels(settings: RunSettings): void {
  for (const name of settings.ensembleModels) findModel(name, "dense");
  if (settings.enableSparse) for (const name of settings.sparseModels) findModel(name, "sparse");
  if (settings.enableRerank) findModel(settings.rerankModel, "rerank");
  fusionSettings(settings);
}

async function runOne(
  runContext: RunContext,
  planned: PlannedCollection,
  facts: Omit<ManifestFacts, "leaseEvents" | "generatedAt" | "outcomes" | "metrics" | "timeline">,
  options: RunOptions,
): Promise<CollectionSummary> {
  const timeline = new RunTimeline({ devices: () => options.stages.devices });
  const context: RunContext = {
    ...runContext,
    emit: emitTo((event) => {
      timeline.note(event);
      options.onEvent(event);
    }),
  };
  const outcomesBefore = context.outcomes.length;
  const outcomes = () => context.outcomes.slice(outcomesBefore);
  const workspace = await Workspace.create(planned.outputDir, context.runId);
  try {
    const result = await runCollection(context, planned, workspace);
    const { collected, dense, sparse, rerank, queries } = result;
    const reranked = rerank.status === "executed" ? rerank.result.candidates : undefined;
    const startedAt = performance.now();
    const exported = await inSpan("rag.export", { "rag.collection": planned.name }, (span) =>
      exportCollection(context, {
        planned,
        outputDir: workspace.outputDir,
        chunks: collected.chunks,
        dense,
        sparse,
        ...(context.settings.saveIntermediate
          ? { fusedLines: () => fusedLines(queries, result.fused, collected.chunks, context.settings) }
          : {}),
        ...(reranked ? { rerankLines: () => rerankLines(queries, reranked, collected.chunks, context.settings) } : {}),
        manifest: async (files) => {
          const metrics = (await options.telemetry?.snapshot()) ?? [];
          const withExport = {
            ...result,
            times: { ...result.times, export: { startedAt, endedAt: performance.now() } },
            spanIds: { ...result.spanIds, export: span.spanContext().spanId },
          };
          return sealManifest(
            buildManifest(
              withExport,
              {
                ...facts,
                leaseEvents: options.stages.leaseEvents,
                generatedAt: new Date(),
                outcomes: outcomes(),
                metrics,
                timeline,
              },
              files,
            ),
          );
        },
      }),
    );
    const seconds = (performance.now() - startedAt) / 1000;
    context.emit({
      case: "stageFinished",
      value: {
        collection: planned.name,
        stage: Stage.EXPORT,
        items: BigInt(exported.files.length + 1),
        seconds,
        unit: "files",
      },
    });
    const report = context.settings.report
      ? await drawReport(context, result, workspace.outputDir, exported.manifestPath)
      : null;
    return { ...summariseCollection(result, outcomes(), exported, workspace.outputDir, seconds), report };
  } finally {
    timeline.close();
    await workspace.remove();
    // What an export service that was killed has left.
    await removeStalePartials(workspace.outputDir);
  }
}

/**
 * Runs the pipeline: for each collection chunks, dense, sparse, fusion, rerank, export.
 * @throws RaglineError INVALID_ARGUMENT for what the caller has to change, another for what went wrong; the signal's reason when aborted.
 */
export async function runPipeline(options: RunOptions): Promise<RunSummary> {
  const { settings, provenance, stages, signal, metrics } = options;
  const startedAt = performance.now();
  const runId = randomUUID();
  const emit: Emit = emitTo(options.onEvent);
  try {
    checkModels(settings);
    const planned = await planCollections(settings);
    const tracing = settings.traceFile ? recordAlways() : context.active();
    const run = async (span: Span): Promise<RunSummary> => {
      const { traceId } = span.spanContext();
      await options.telemetry?.collectTrace(traceId);
      emit({
        case: "started",
        value: {
          runId,
          traceId,
          version,
          settings: provenance.map(({ key, value, layer, source }) => ({
            key,
            valueJson: JSON.stringify(value),
            layer,
            source,
          })),
        },
      });
      await options.prepare?.();
      const outcomes: Outcome[] = [];
      const runContext: RunContext = { runId, settings, stages, emit, metrics, signal, outcomes };
      const collections: CollectionSummary[] = [];
      for (const one of planned)
        collections.push(await runOne(runContext, one, { runId, traceId, version, settings, provenance }, options));
      const degraded = outcomes.some((outcome) => outcome.degraded);
      const summary: RunSummary = {
        runId,
        traceId,
        version,
        seconds: (performance.now() - startedAt) / 1000,
        degraded,
        collections,
      };
      emit({ case: "finished", value: { summaryJson: JSON.stringify(summary), degraded } });
      return summary;
    };
    return await context.with(tracing, () => inSpan("rag.run", { "rag.run_id": runId }, run));
  } catch (error) {
    signal.throwIfAborted();
    throw toRunError(error);
  }
}
