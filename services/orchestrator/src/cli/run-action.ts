import type { ResolvedSettings } from "@ragline/config";
import { OrchestratorService } from "@ragline/contracts";
import { createClient, RaglineError } from "@ragline/rpc";
import type { Command } from "commander";
import type { RunEvent } from "../core/run-events.js";
import type { RunSummary } from "../core/run-summary.js";
import type { runSettings } from "../run-settings.js";
import { runWithStages } from "../stages/run-with-stages.js";
import { describeFailure } from "./describe-failure.js";
import { exitCodes } from "./exit-codes.js";
import { interruption } from "./interruption.js";
import { PullDisplay } from "./pull-display.js";
import { resolveRunSettings } from "./resolve-run-settings.js";
import { runView } from "./run-view.js";
import { type CliTelemetry, startCliTelemetry } from "./start-cli-telemetry.js";
import { summaryText } from "./summary-tables.js";

interface OwnOptions {
  readonly json?: boolean;
  readonly orchestrator?: string;
  readonly logLevel: string;
  readonly logFormat: "pretty" | "json";
}

type Resolved = ResolvedSettings<typeof runSettings>;

/** Runs on an orchestrator elsewhere: sends what was set here, shows what it tells. */
async function runRemotely(
  address: string,
  { provenance }: Resolved,
  signal: AbortSignal,
  onEvent: (event: RunEvent) => void,
): Promise<RunSummary> {
  const client = createClient(OrchestratorService, address, { name: "orchestrator" });
  const settings = provenance
    .filter(({ layer }) => layer !== "default")
    .map(({ key, value, layer, source }) => ({ key, valueJson: JSON.stringify(value), layer, source }));
  let summary: RunSummary | undefined;
  try {
    for await (const { kind } of client.run({ settings }, { signal })) {
      if (kind.case === undefined) continue;
      onEvent(kind);
      if (kind.case === "finished") summary = JSON.parse(kind.value.summaryJson) as RunSummary;
    }
  } finally {
    client.close();
  }
  if (!summary)
    throw new RaglineError(
      "INTERNAL",
      "NO_SUMMARY",
      `the orchestrator at ${address} ended the run without a summary; see its log`,
    );
  return summary;
}

/** Runs the pipeline as the command line asks, shows how it goes, and returns the exit code. */
export async function runAction(command: Command): Promise<number> {
  const { json = false, orchestrator, logLevel, logFormat } = command.opts<OwnOptions>();
  const stream = json ? process.stderr : process.stdout;
  const view = runView({ format: logFormat, logLevel, stream });
  const pulls = new PullDisplay(stream);
  const { signal, interrupted } = interruption();
  let telemetry: CliTelemetry | undefined;
  try {
    const resolved = resolveRunSettings(command);
    const onEvent = (event: RunEvent): void => {
      pulls.end();
      view.show(event);
    };
    telemetry = await startCliTelemetry(resolved.values, (message) => view.warn(message));
    const summary = orchestrator
      ? await runRemotely(orchestrator, resolved, signal, onEvent)
      : await runWithStages({
          settings: resolved.values,
          provenance: resolved.provenance,
          logLevel,
          metrics: telemetry.metrics,
          tracing: telemetry.tracing,
          signal,
          onEvent,
          storeEvents: pulls.events,
          onLine: (line) => view.line(line),
          onWarning: (message) => view.warn(message),
        });
    process.stdout.write(
      json ? `${JSON.stringify(summary, undefined, 2)}\n` : `${summaryText(summary, resolved.values.stageReport)}\n`,
    );
    return summary.degraded && resolved.values.failOn === "degraded" ? exitCodes.degraded : exitCodes.done;
  } catch (error) {
    pulls.end();
    if (interrupted()) {
      view.stop();
      return exitCodes.interrupted;
    }
    const { code, message, reason } = describeFailure(error);
    if (json) process.stdout.write(`${JSON.stringify({ error: { reason, message } }, undefined, 2)}\n`);
    view.fail(error);
    return code;
  } finally {
    await telemetry?.close();
  }
}
