import { openRun, type Run } from "@ragline/artifacts";
import { resolveSettings } from "@ragline/config";
import type { Command } from "commander";
import { recordedRerankMix } from "../core/fusion-settings.js";
import type { StageName } from "../core/run-context.js";
import { type SearchHit, type SearchMode, searchRun } from "../core/search-run.js";
import { toRunError } from "../core/usage-error.js";
import { runSettings } from "../run-settings.js";
import { parseEndpoints } from "../stages/parse-endpoints.js";
import { deviceSource, runLeases } from "../stages/run-leases.js";
import { StageProcesses } from "../stages/stage-processes.js";
import { describeFailure } from "./describe-failure.js";
import { exitCodes } from "./exit-codes.js";
import { interruption } from "./interruption.js";
import { searchSettings } from "./search-settings.js";
import { readFlags } from "./setting-options.js";
import { startCliTelemetry } from "./start-cli-telemetry.js";

/** The flags of `ragline search`. */
export interface SearchFlags {
  readonly run: string;
  readonly summaryPath?: string;
  readonly mode?: SearchMode;
  readonly topK: number;
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

const excerptLength = 240;

/** The first of the keys that holds text. */
function firstText(metadata: SearchHit["metadata"], keys: readonly string[]): string {
  return keys.map((key) => metadata[key]).find((value) => typeof value === "string") ?? "";
}

function hitText({ rank, score, text, metadata, rerankScore, sources }: SearchHit): string {
  const sections = metadata["section_path"];
  const path = Array.isArray(sections) ? sections.join(" > ") : firstText(metadata, ["heading_text"]);
  const source = firstText(metadata, ["relative_path", "source_file", "filename"]);
  const excerpt = text.replace(/\s+/g, " ").trim();
  const lists = Object.entries(sources).map(([name, { rank: at }]) => `${name} #${at}`);
  if (rerankScore !== undefined) lists.push(`CrossEncoder ${rerankScore.toFixed(2)}`);
  return [
    `${String(rank).padStart(2)}. ${source}${path ? `  ${path}` : ""}`,
    `    score ${score.toFixed(3)}  (${lists.join(", ")})`,
    `    ${excerpt.length > excerptLength ? `${excerpt.slice(0, excerptLength)}…` : excerpt}`,
  ].join("\n");
}

/** Searches as the command line asks, prints the answers, and returns the exit code. */
export async function searchAction(query: string, flags: SearchFlags, command: Command): Promise<number> {
  const { signal, interrupted } = interruption();
  const telemetry = await startCliTelemetry();
  let stages: StageProcesses | undefined;
  try {
    const run = await openRun(flags.run, flags.summaryPath === undefined ? {} : { summaryPath: flags.summaryPath });
    const mode = flags.mode ?? defaultMode(run);
    const { values, provenance } = resolveSettings(searchSettings, {
      flags: readFlags(command, searchSettings),
      env: process.env,
      dotenvPath: ".env",
    });
    stages = await StageProcesses.open({
      endpoints: parseEndpoints(flags.endpoints ?? []),
      // One text needs one worker; a second would only have to start.
      workers: mode === "rerank" ? 0 : 1,
      leases: runLeases({ ...values, source: deviceSource(provenance) }, signal),
      exclusive: true,
      logLevel: "warn",
      onLine: (line) => process.stderr.write(`  ${line}\n`),
    });
    stages.warm(stagesOf[mode]);
    const reranked = run.manifest.rerank_run;
    const hits = await searchRun({
      run,
      query,
      mode,
      topK: flags.topK,
      rerankModel: reranked?.model_name ?? runSettings.rerankModel.default,
      rerankMix: recordedRerankMix(run) ?? runSettings.rerankMix.default,
      stages,
      signal,
    });
    const text =
      hits.length > 0 ? hits.map(hitText).join("\n\n") : "Nothing found: no chunk shares a word with the query.";
    process.stdout.write(flags.json ? `${JSON.stringify({ query, mode, hits }, undefined, 2)}\n` : `${text}\n`);
    return exitCodes.done;
  } catch (error) {
    if (interrupted()) return exitCodes.interrupted;
    const { code, message } = describeFailure(toRunError(error));
    process.stderr.write(`ragline: ${message}\n`);
    return code;
  } finally {
    await stages?.close();
    await telemetry.close();
  }
}
