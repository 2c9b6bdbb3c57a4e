import { type ResolvedSettings, resolveSettings } from "@ragline/config";
import { OrchestratorService } from "@ragline/contracts";
import { createClient, RaglineError } from "@ragline/rpc";
import { startTelemetry } from "@ragline/service-kit";
import { type Command, Option } from "commander";
import type { RunEvent } from "../core/run-events.js";
import type { RunSummary } from "../core/run-summary.js";
import { runSettings } from "../run-settings.js";
import { runWithStages } from "../stages/run-with-stages.js";
import { describeFailure, exitCodes } from "./exit-code.js";
import { interruption } from "./interruption.js";
import { RunDisplay } from "./run-display.js";
import { addSettings, readFlags } from "./setting-options.js";
import { summaryText } from "./summary-tables.js";

interface OwnOptions {
  readonly json?: boolean;
  readonly orchestrator?: string;
  readonly logLevel: string;
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

async function run(command: Command): Promise<number> {
  const { json = false, orchestrator, logLevel } = command.opts<OwnOptions>();
  const stream = json ? process.stderr : process.stdout;
  const display = new RunDisplay({ stream, animated: stream.isTTY === true && process.env.CI === undefined });
  const { signal, interrupted } = interruption();
  const telemetry = await startTelemetry({
    serviceName: "ragline-cli",
    otlpEndpoint: process.env.OTEL_EXPORTER_OTLP_ENDPOINT ?? "",
  });
  try {
    const resolved = resolveSettings(runSettings, {
      flags: readFlags(command, runSettings),
      env: process.env,
      dotenvPath: ".env",
      configPath: "config/embedder.json",
    });
    const onEvent = (event: RunEvent): void => display.show(event);
    const summary = orchestrator
      ? await runRemotely(orchestrator, resolved, signal, onEvent)
      : await runWithStages({
          settings: resolved.values,
          provenance: resolved.provenance,
          logLevel,
          signal,
          onEvent,
          onLine: (line) => display.log(line),
        });
    process.stdout.write(json ? `${JSON.stringify(summary, undefined, 2)}\n` : `${summaryText(summary)}\n`);
    return summary.degraded && resolved.values.failOn === "degraded" ? exitCodes.degraded : exitCodes.done;
  } catch (error) {
    display.end();
    if (interrupted()) {
      process.stderr.write("ragline: stopped; nothing was written\n");
      return exitCodes.interrupted;
    }
    const { code, message, reason } = describeFailure(error);
    if (json) process.stdout.write(`${JSON.stringify({ error: { reason, message } }, undefined, 2)}\n`);
    process.stderr.write(`ragline: ${message}\n`);
    return code;
  } finally {
    await telemetry.close();
  }
}

/** Adds `ragline run`. */
export function addRunCommand(program: Command): void {
  const command = program
    .command("run")
    .description("Turn documents or chunk files into vectors, rankings and exports.")
    .option("--orchestrator <host:port>", "Run on an orchestrator elsewhere; paths are those of its host.")
    .option("--json", "Print the summary as one JSON object; everything else goes to stderr.")
    .addOption(
      new Option("--log-level <level>", "Least severe log lines of the stages to show.")
        .choices(["debug", "info", "warn", "error", "silent"])
        .default("warn"),
    );
  addSettings(command, runSettings).action(async () => {
    process.exitCode = await run(command);
  });
}
