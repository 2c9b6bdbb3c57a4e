import { openRun, type Run } from "@ragline/artifacts";
import { resolveSettings } from "@ragline/config";
import { readModels, useModels } from "@ragline/models";
import { type Filter, parseFilter } from "@ragline/retrieval";
import type { Command } from "commander";
import { recordedRerankMix } from "../core/fusion-settings.js";
import type { StageName } from "../core/run-context.js";
import { type SearchMode, SearchSession } from "../core/search-session.js";
import { toRunError } from "../core/usage-error.js";
import { runSettings } from "../run-settings.js";
import { parseEndpoints } from "../stages/parse-endpoints.js";
import { deviceSource, runLeases } from "../stages/run-leases.js";
import { type NeededModel, stageModels } from "../stages/stage-models.js";
import { StageProcesses } from "../stages/stage-processes.js";
import { describeFailure } from "./describe-failure.js";
import { exitCodes } from "./exit-codes.js";
import { hitsText } from "./hit-text.js";
import { interruption } from "./interruption.js";
import { PullDisplay } from "./pull-display.js";
import { resolveModelSettings } from "./resolve-run-settings.js";
import { searchPrompt } from "./search-prompt.js";
import { searchSettings } from "./search-settings.js";
import { readFlags } from "./setting-options.js";
import { startCliTelemetry } from "./start-cli-telemetry.js";

/** The flags of `ragline search`. */
export interface SearchFlags {
  readonly run: string;
  readonly summaryPath?: string;
  readonly mode?: SearchMode;
  readonly top: number;
  readonly filter?: string[];
  readonly exact?: boolean;
  readonly json?: boolean;
  readonly endpoints?: string[];
}

const stagesOf: Record<SearchMode, readonly StageName[]> = {
  dense: ["dense"],
  sparse: ["sparse"],
  hybrid: ["dense", "sparse"],
  rerank: ["dense", "sparse", "rerank"],
};

/** The richest mode that the run has vectors for. */
function defaultMode({ sparse, manifest }: Run): SearchMode {
  if (manifest.rerank_run) return "rerank";
  return sparse.length > 0 ? "hybrid" : "dense";
}

/** The filters of the command line; throws FilterError for one that cannot be read. */
const filtersOf = ({ filter = [] }: SearchFlags): Filter[] => filter.map(parseFilter);
/** The models that a search asks, each in the precision that the run was made with. */
function modelsOf({ dense, sparse, manifest }: Run, mode: SearchMode): NeededModel[] {
  const recorded = new Map(manifest.models?.map((model) => [model.name, model["precision"]]));
  const needed = (stage: NeededModel["stage"], name: string): NeededModel => {
    const precision = recorded.get(name);
    return { stage, name, ...(typeof precision === "string" ? { precision } : {}) };
  };
  const reranked = manifest.rerank_run?.model_name;
  return [
    ...(mode === "sparse" ? [] : dense.map(({ name }) => needed("dense", name))),
    // Not those that were derived from metadata: no model encodes a query for them.
    ...(mode === "dense" ? [] : sparse.filter((name) => recorded.has(name)).map((name) => needed("sparse", name))),
    ...(mode === "rerank" && reranked ? [needed("rerank", reranked)] : []),
  ];
}

/** Searches as the command line asks, prints the answers, and returns the exit code; without a query it prompts for them. */
export async function searchAction(query: string | undefined, flags: SearchFlags, command: Command): Promise<number> {
  const { signal, interrupted } = interruption();
  const telemetry = await startCliTelemetry();
  let stages: StageProcesses | undefined;
  let session: SearchSession | undefined;
  try {
    const filters = filtersOf(flags);
    const run = await openRun(flags.run, flags.summaryPath === undefined ? {} : { summaryPath: flags.summaryPath });
    const mode = flags.mode ?? defaultMode(run);
    const { values, provenance } = resolveSettings(searchSettings, {
      flags: readFlags(command, searchSettings),
      env: process.env,
      dotenvPath: ".env",
    });
    const settings = resolveModelSettings();
    useModels(readModels(settings.modelsFile));
    const endpoints = parseEndpoints(flags.endpoints ?? []);
    const display = new PullDisplay(process.stderr);
    await stageModels(modelsOf(run, mode), { settings, elsewhere: endpoints, signal, ...display.events }).finally(() =>
      display.end(),
    );
    stages = await StageProcesses.open({
      endpoints,
      modelSettings: settings,
      // One text needs one worker; a second would only have to start.
      workers: mode === "rerank" ? 0 : 1,
      leases: runLeases({ ...values, source: deviceSource(provenance) }, signal),
      // At a prompt the models stay loaded side by side.
      exclusive: query !== undefined,
      logLevel: "warn",
      onLine: (line) => process.stderr.write(`  ${line}\n`),
    });
    stages.warm(stagesOf[mode]);
    const reranked = run.manifest.rerank_run;
    session = await SearchSession.open({
      run,
      mode,
      rerankModel: reranked?.model_name ?? runSettings.rerankModel.default,
      rerankMix: recordedRerankMix(run) ?? runSettings.rerankMix.default,
      exact: flags.exact ?? false,
      stages,
      signal,
      keepOpen: query === undefined,
      onNote: (sentence) => process.stderr.write(`${sentence}\n`),
    });
    // A filter that fits no field is told before a model is opened.
    await session.checkFilters(filters);
    const { top: topK, json = false } = flags;
    if (query === undefined) await searchPrompt({ session, topK, filters, json, signal });
    else {
      const { hits, timings } = await session.search({ query, topK, filters });
      process.stdout.write(
        json
          ? `${JSON.stringify({ query, mode, hits, timings }, undefined, 2)}\n`
          : `${hitsText(hits, filters.length > 0)}\n`,
      );
    }
    return exitCodes.done;
  } catch (error) {
    if (interrupted()) return exitCodes.interrupted;
    const { code, message } = describeFailure(toRunError(error));
    process.stderr.write(`ragline: ${message}\n`);
    return code;
  } finally {
    await session?.close().catch(() => undefined);
    await stages?.close();
    await telemetry.close();
  }
}
