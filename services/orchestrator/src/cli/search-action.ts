import { openRun, type Run } from "@ragline/artifacts";
import type { SettingProvenance } from "@ragline/config";
import { readModels, useModels } from "@ragline/models";
import { type Filter, parseFilter } from "@ragline/retrieval";
import type { Command } from "commander";
import { rankingSettings } from "../core/ranking-settings.js";
import type { StageName } from "../core/run-context.js";
import { type SearchMode, SearchSession } from "../core/search-session.js";
import { toRunError } from "../core/usage-error.js";
import { parseEndpoints } from "../stages/parse-endpoints.js";
import { deviceSource, runLeases } from "../stages/run-leases.js";
import { searchModels, stageModels } from "../stages/stage-models.js";
import { StageProcesses } from "../stages/stage-processes.js";
import { traceCommand } from "../stages/trace-command.js";
import { describeFailure } from "./describe-failure.js";
import { exitCodes } from "./exit-codes.js";
import { hitsText } from "./hit-text.js";
import { interruption } from "./interruption.js";
import { PullDisplay } from "./pull-display.js";
import { resolveRunSettings } from "./resolve-run-settings.js";
import { searchPrompt } from "./search-prompt.js";
import { type CliTelemetry, startCliTelemetry } from "./start-cli-telemetry.js";

/** The flags of `ragline search`. */
export interface SearchFlags {
  readonly run: string;
  readonly summaryPath?: string;
  readonly mode?: SearchMode;
  readonly top: number;
  readonly filter?: string[];
  readonly exact?: boolean;
  readonly json?: boolean;
}

const stagesOf: Record<SearchMode, readonly StageName[]> = {
  dense: ["dense"],
  sparse: ["sparse"],
  hybrid: ["dense", "sparse"],
  rerank: ["dense", "sparse", "rerank"],
};

/** The richest mode that the run was made for; one with reranking where a flag is about that. */
function defaultMode({ sparse, manifest }: Run, provenance: readonly SettingProvenance[]): SearchMode {
  if (manifest.rerank_run || provenance.some(({ key, layer }) => layer === "cli" && key.startsWith("rerank_")))
    return "rerank";
  return sparse.length > 0 ? "hybrid" : "dense";
}

/** The filters of the command line; throws FilterError for one that cannot be read. */
const filtersOf = ({ filter = [] }: SearchFlags): Filter[] => filter.map(parseFilter);

/** Searches as the command line asks, prints the answers, and returns the exit code; without a query it prompts for them. */
export async function searchAction(query: string | undefined, flags: SearchFlags, command: Command): Promise<number> {
  const { signal, interrupted } = interruption();
  let telemetry: CliTelemetry | undefined;
  let stages: StageProcesses | undefined;
  try {
    const filters = filtersOf(flags);
    const { values: settings, provenance } = resolveRunSettings(command);
    const { otlpEndpoint, traceFile } = settings;
    telemetry = await startCliTelemetry({ otlpEndpoint });
    const run = await openRun(flags.run, flags.summaryPath === undefined ? {} : { summaryPath: flags.summaryPath });
    const mode = flags.mode ?? defaultMode(run, provenance);
    useModels(readModels(settings.modelsFile));
    const ranking = rankingSettings(run, settings, provenance);
    const endpoints = parseEndpoints(settings.endpoints ?? []);
    const tracing = { settings: { traceFile }, ...telemetry };
    await traceCommand("rag.search", { "rag.search.mode": mode }, tracing, async (gathering) => {
      const display = new PullDisplay(process.stderr);
      const pulling = { settings, elsewhere: endpoints, signal, ...display.events };
      const models = searchModels(run, {
        dense: mode !== "sparse",
        sparse: mode !== "dense",
        rerankModel: mode === "rerank" ? ranking.rerank.model : undefined,
      });
      await stageModels(models, pulling).finally(() => display.end());
      stages = await StageProcesses.open({
        endpoints,
        modelSettings: settings,
        // One text needs one worker; a second would only have to start.
        workers: mode === "rerank" ? 0 : 1,
        leases: runLeases({ ...settings, source: deviceSource(provenance) }, signal),
        // At a prompt the models stay loaded side by side.
        exclusive: query !== undefined,
        logLevel: "warn",
        onLine: (line) => process.stderr.write(`  ${line}\n`),
        ...(otlpEndpoint ? { otlpEndpoint } : {}),
        onConnect: (name, address, isChild) => gathering.attach(name, address, isChild),
      });
      stages.warm(stagesOf[mode]);
      const session = await SearchSession.open({
        run,
        mode,
        ranking,
        exact: flags.exact ?? false,
        stages,
        signal,
        keepOpen: query === undefined,
        onNote: (sentence) => process.stderr.write(`${sentence}\n`),
      });
      try {
        // A filter that fits no field is told before a model is opened.
        await session.checkFilters(filters);
        await answer(session, query, { ...flags, filters, mode, signal });
      } finally {
        await session.close().catch(() => undefined);
      }
    });
    return exitCodes.done;
  } catch (error) {
    if (interrupted()) return exitCodes.interrupted;
    const { code, message, reason } = describeFailure(toRunError(error));
    if (flags.json) process.stdout.write(`${JSON.stringify({ error: { reason, message } }, undefined, 2)}\n`);
    process.stderr.write(`ragline: ${message}\n`);
    return code;
  } finally {
    await stages?.close();
    await telemetry?.close();
  }
}

/** Answers the query, or those that come at a prompt. */
async function answer(
  session: SearchSession,
  query: string | undefined,
  asked: Pick<SearchFlags, "top" | "json"> & {
    readonly filters: readonly Filter[];
    readonly mode: SearchMode;
    readonly signal: AbortSignal;
  },
): Promise<void> {
  const { top: topK, json = false, filters, mode, signal } = asked;
  if (query === undefined) return searchPrompt({ session, topK, filters, json, signal });
  const { hits, timings } = await session.search({ query, topK, filters });
  process.stdout.write(
    json
      ? `${JSON.stringify({ query, mode, hits, timings }, undefined, 2)}\n`
      : `${hitsText(hits, filters.length > 0)}\n`,
  );
}
