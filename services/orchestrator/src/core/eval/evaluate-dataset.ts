import { existsSync, statSync } from "node:fs";
import { resolve } from "node:path";
import { MANIFEST_NAME, openRun } from "@ragline/artifacts";
import {
  type Dataset,
  DatasetError,
  type DatasetWarning,
  documentText,
  type MeasureOptions,
  type RunScores,
  readTrecRun,
} from "@ragline/evaluation";
import { SearchIndex } from "@ragline/retrieval";
import { parseEndpoints } from "../../stages/parse-endpoints.js";
import { deviceSource, runLeases } from "../../stages/run-leases.js";
import type { RunTelemetry } from "../../stages/run-telemetry.js";
import { searchModels, stageModels } from "../../stages/stage-models.js";
import { StageProcesses } from "../../stages/stage-processes.js";
import { traceCommand } from "../../stages/trace-command.js";
import { describeFusion } from "../fusion-settings.js";
import { QueryModels } from "../query-models.js";
import { rankingSettings } from "../ranking-settings.js";
import { type EmbedDatasetOptions, embedDataset } from "./dataset-run.js";
import { documentRows, type KnownDocuments } from "./document-rows.js";
import { type EvaluationReport, evaluationReport, type ModeScores } from "./evaluation-report.js";
import { rankDataset } from "./rank-dataset.js";

/** What to evaluate, and how. */
export interface EvaluateDatasetOptions extends MeasureOptions, Omit<EmbedDatasetOptions, "gathering"> {
  readonly dataset: Dataset;
  /** Directory of a run of the data set's documents; without it they are embedded. */
  readonly run?: string;
  /** TREC run files to measure beside. */
  readonly trecRuns: readonly string[];
  /** Two rankings: names, run directories or TREC run files. */
  readonly compare?: readonly [string, string];
  /** Chunks in each model's list. */
  readonly depth: number;
  readonly seed: number;
}

/** Documents whose text is compared with that of the chunks which name them. */
const comparedDocuments = 64;

/** Evaluates runs of one data set, whose stages are started once. */
class Evaluation {
  readonly #options: EvaluateDatasetOptions;
  /** Gathers the telemetry of the services. */
  readonly gathering: RunTelemetry;
  readonly modes: ModeScores[] = [];
  readonly warnings: DatasetWarning[];
  #documents: KnownDocuments | undefined;
  #stages: StageProcesses | undefined;

  constructor(options: EvaluateDatasetOptions, gathering: RunTelemetry) {
    this.#options = options;
    this.gathering = gathering;
    this.warnings = [...options.dataset.warnings];
  }

  async close(): Promise<void> {
    await this.#stages?.close();
  }

  /** Ranks with a run, and adds its rankings under a prefix; returns what is told of it. */
  async addRun(dir: string, prefix: string, withRerank: boolean): Promise<Readonly<Record<string, unknown>>> {
    const { dataset, settings, provenance, depth, signal, storeEvents, onProgress } = this.#options;
    const run = await openRun(dir);
    const { documentOfRow, key, missingDocuments, strangeRows, compared } = await documentRows(
      run,
      await this.documents(),
      dataset.name,
    );
    this.#warn(
      "documents-without-chunk",
      missingDocuments,
      "N documents of the data set have no chunk in the run",
      dir,
    );
    this.#warn(
      "chunks-of-no-document",
      strangeRows,
      "N chunks are of no document of the data set and count nowhere",
      dir,
    );
    const { rows, different } = compared;
    const sentence = `N of ${rows} chunks that were looked at have few words of the document that they name; is it a run of another collection?`;
    if (different > rows / 2) this.#warn("other-texts", different, sentence, dir);
    const { fusion, rerank } = rankingSettings(run, settings, provenance);
    const needed = searchModels(run, {
      dense: true,
      sparse: true,
      rerankModel: withRerank ? rerank.model : undefined,
    });
    const elsewhere = parseEndpoints(settings.endpoints ?? []);
    await stageModels(needed, { settings, elsewhere, signal, ...storeEvents });
    const index = await SearchIndex.open(run);
    const { precision } = settings;
    const models = new QueryModels({ run, stages: await this.#openStages(), signal, precision, keepOpen: true });
    try {
      const ranked = await rankDataset({
        run,
        index,
        queries: dataset.queries,
        models,
        documentOfRow,
        depth,
        fusion,
        ...(withRerank ? { rerank } : {}),
        onProgress,
      });
      for (const mode of ranked) this.modes.push({ ...mode, name: `${prefix}${mode.name}` });
      const lists = ranked.flatMap(({ name, kind }) =>
        kind === "fused" || kind === "reranked" ? [] : [{ name, kind }],
      );
      return {
        collection: run.collection,
        chunks: run.chunkCount,
        run_id: run.manifest["run_id"] ?? null,
        document_key: key,
        models: run.manifest.models ?? null,
        depth,
        fusion: describeFusion(fusion, lists),
        rerank: withRerank ? rerank : null,
      };
    } finally {
      await models.close();
      await index.close();
    }
  }

  /** Adds a TREC run file; it has to be of this data set. */
  async addTrecRun(path: string, name: string): Promise<void> {
    const { dataset } = this.#options;
    const { scores, warnings } = await readTrecRun(path);
    this.warnings.push(...warnings.map((warning) => ({ ...warning, detail: `${path}: ${warning.detail}` })));
    const documents = await this.documents();
    const { strange, total } = strangeDocuments(scores, documents.ids);
    const hasJudgedQuery = [...scores.keys()].some((query) => dataset.judgements.has(query));
    if (!hasJudgedQuery || strange === total) {
      const none = hasJudgedQuery ? "documents is" : "queries is a judged one";
      const problem = `none of its ${none} of ${dataset.name}; is it a run of another collection?`;
      throw new DatasetError(path, undefined, problem);
    }
    this.#warn("strange-documents", strange, "N lines name documents that the data set does not have", path);
    this.modes.push({ name, kind: "trec-run", scores });
  }

  /** The ids of all documents and the texts of the first ones; the first call reads them. */
  async documents(): Promise<KnownDocuments> {
    if (this.#documents !== undefined) return this.#documents;
    const { dataset } = this.#options;
    const ids = new Set<string>();
    const texts = new Map<string, string>();
    for await (const document of dataset.documents()) {
      ids.add(document.id);
      if (texts.size < comparedDocuments) texts.set(document.id, documentText(document));
    }
    if (ids.size === 0)
      throw new DatasetError(dataset.documentFiles[0] ?? dataset.name, undefined, "holds no document.");
    const judged = [...dataset.judgements.values()].flatMap((grades) => [...grades.keys()]);
    const unknown = judged.filter((id) => !ids.has(id));
    const sentence = "N judgements are of documents that the data set does not have; they count as never found";
    this.#warn("judged-document-missing", unknown.length, sentence, unknown[0] ?? "");
    this.#documents = { ids, texts };
    return this.#documents;
  }

  async #openStages(): Promise<StageProcesses> {
    const { settings, provenance, signal, onProgress } = this.#options;
    this.#stages ??= await StageProcesses.open({
      endpoints: parseEndpoints(settings.endpoints ?? []),
      workers: settings.workers,
      leases: runLeases({ ...settings, source: deviceSource(provenance) }, signal),
      exclusive: true,
      modelSettings: settings,
      logLevel: "warn",
      onLine: onProgress,
      ...(settings.otlpEndpoint ? { otlpEndpoint: settings.otlpEndpoint } : {}),
      onConnect: (name, address, isChild) => this.gathering.attach(name, address, isChild),
    });
    return this.#stages;
  }

  #warn(kind: string, count: number, sentence: string, where: string): void {
    if (count > 0)
      this.warnings.push({ kind, count, detail: `${sentence.replace("N", String(count))} (first: ${where})` });
  }
}

function strangeDocuments(scores: RunScores, documents: ReadonlySet<string>): { strange: number; total: number } {
  let strange = 0;
  let total = 0;
  for (const found of scores.values())
    for (const id of found.keys()) {
      total++;
      if (!documents.has(id)) strange++;
    }
  return { strange, total };
}

/** A ranking that was named by a path: a run directory, with the ranking behind a "#", or a TREC run file. */
function pathOf(name: string): { dir: string; mode: string } | { file: string } | undefined {
  const [, dir = name, mode = "fused"] = /^(.*)#([^#/\\]+)$/u.exec(name) ?? [];
  if (existsSync(resolve(dir, MANIFEST_NAME))) return { dir, mode };
  return existsSync(name) && statSync(name).isFile() ? { file: name } : undefined;
}

/**
 * Measures the rankings of a run (one that is given, else one that is made) and TREC run files on a data set.
 * @throws DatasetError for a run of another collection or a malformed file; RaglineError for the rest.
 */
export async function evaluateDataset(
  options: EvaluateDatasetOptions,
): Promise<{ report: EvaluationReport; modes: readonly ModeScores[] }> {
  const { settings, telemetry } = options;
  let evaluation: Evaluation | undefined;
  try {
    return await traceCommand("rag.eval", {}, { settings, ...telemetry }, (gathering) => {
      evaluation = new Evaluation(options, gathering);
      return evaluate(options, evaluation);
    });
  } finally {
    await evaluation?.close();
  }
}

async function evaluate(
  options: EvaluateDatasetOptions,
  evaluation: Evaluation,
): Promise<{ report: EvaluationReport; modes: readonly ModeScores[] }> {
  const { trecRuns, compare, settings, seed } = options;
  for (const path of trecRuns) await evaluation.addTrecRun(path, path);
  const paths = (compare ?? []).map((name) => ({ name, path: pathOf(name) }));
  const needsRun = trecRuns.length === 0 && !(paths.length > 0 && paths.every(({ path }) => path !== undefined));
  await evaluation.documents();
  const dir =
    options.run ??
    (needsRun ? await embedDataset(options.dataset, { ...options, gathering: evaluation.gathering }) : undefined);
  const run = dir === undefined ? null : await evaluation.addRun(dir, "", settings.enableRerank);
  const runs = paths.flatMap(({ path }) => (path !== undefined && "dir" in path ? [path] : []));
  for (const one of new Set(runs.map((path) => path.dir))) {
    const needsRerank = runs.some((path) => path.dir === one && path.mode === "reranked");
    await evaluation.addRun(one, `${one}#`, needsRerank);
  }
  for (const { name, path } of paths) {
    const isKnown = evaluation.modes.some((mode) => mode.name === name);
    if (path !== undefined && "file" in path && !isKnown) await evaluation.addTrecRun(path.file, name);
  }
  const [a, b] = paths.map(({ name, path }) =>
    path !== undefined && "dir" in path ? `${path.dir}#${path.mode}` : name,
  );
  const report = evaluationReport(options.dataset, evaluation.modes, {
    ...(options.metrics === undefined ? {} : { metrics: options.metrics }),
    ...(options.relevanceLevel === undefined ? {} : { relevanceLevel: options.relevanceLevel }),
    seed,
    run,
    warnings: evaluation.warnings,
    ...(a === undefined || b === undefined ? {} : { compare: [[a, b]] }),
  });
  return { report, modes: evaluation.modes };
}
