import type { Run } from "@ragline/artifacts";
import {
  choosePrecision,
  findModel,
  type GraphModelEntry,
  hasGraph,
  ModelStore,
  type Precision,
  type StoreEvents,
} from "@ragline/models";
import { sparseQueryModels } from "../core/query-models.js";
import type { StageName } from "../core/run-context.js";
import type { RunSettings } from "../run-settings.js";

/** A model that a stage will be asked for. */
export interface NeededModel {
  readonly stage: Exclude<StageName, "export">;
  readonly name: string;
  /** @default the setting of the run */
  readonly precision?: string | undefined;
}

/** The models of a run, in the order in which they are needed. */
export function neededModels(settings: RunSettings): NeededModel[] {
  const { ensembleModels, enableSparse, sparseModels, enableRerank, rerankModel } = settings;
  return [
    ...ensembleModels.map((name) => ({ stage: "dense" as const, name })),
    ...(enableSparse ? sparseModels : []).map((name) => ({ stage: "sparse" as const, name })),
    ...(enableRerank ? [{ stage: "rerank" as const, name: rerankModel }] : []),
  ];
}

/**
 * The models that searches of a finished run ask, each in the precision that the run was made with.
 * @param rerankModel left out: no reranking.
 */
export function searchModels(
  run: Pick<Run, "dense" | "sparse" | "manifest">,
  { dense, sparse, rerankModel }: { dense: boolean; sparse: boolean; rerankModel?: string | undefined },
): NeededModel[] {
  const recorded = new Map(run.manifest.models?.map((model) => [model.name, model["precision"]]));
  const needed = (stage: NeededModel["stage"], name: string): NeededModel => {
    const precision = recorded.get(name);
    return { stage, name, ...(typeof precision === "string" ? { precision } : {}) };
  };
  return [
    ...(dense ? run.dense.map(({ name }) => needed("dense", name)) : []),
    ...(sparse ? sparseQueryModels(run).map((name) => needed("sparse", name)) : []),
    ...(rerankModel === undefined ? [] : [needed("rerank", rerankModel)]),
  ];
}

/** How {@link stageModels} works. */
export interface StageModelsOptions extends StoreEvents {
  readonly settings: Pick<RunSettings, "precision" | "refreshCache"> & ConstructorParameters<typeof ModelStore>[0];
  /** Stages whose services run elsewhere, and have models of their own. */
  readonly elsewhere: { has(stage: StageName): boolean };
  readonly signal: AbortSignal;
}

/**
 * Brings the files of models to this machine, those that are not here. Before any lease is asked for, so that a device
 * never waits for a download.
 * @throws UnknownModelError, ModelFileError
 */
export async function stageModels(models: readonly NeededModel[], options: StageModelsOptions): Promise<void> {
  const { settings, elsewhere, signal, ...events } = options;
  const store = new ModelStore(settings);
  const isDone = new Set<string>();
  for (const { stage, name, precision: asked = settings.precision } of models) {
    const entry = findModel(name, stage);
    if (elsewhere.has(stage) || !hasGraph(entry) || entry.source.kind !== "hub") continue;
    const precision = precisionFor(entry, asked);
    const once = `${entry.source.repository} ${precision}`;
    const refresh = settings.refreshCache && !isDone.has(once);
    isDone.add(once);
    // What is here is checked by the stage that opens it.
    if (!refresh && (await store.isHere(entry, precision))) continue;
    await store.open(entry, precision, { ...events, refresh, signal });
  }
}

function precisionFor({ graphs }: GraphModelEntry, asked: string): Precision {
  const available = Object.keys(graphs) as Precision[];
  // A precision that the model lacks is refused by the store, which says what there is.
  return asked === "auto" ? choosePrecision(available) : (asked as Precision);
}

/**
 * What the vectors of models follow from: their entries and the hashes of their files, which are pulled where they are not
 * here. Of models whose services run elsewhere it is the entry alone.
 * @throws UnknownModelError, ModelFileError
 */
export async function modelContents(models: readonly NeededModel[], options: StageModelsOptions): Promise<object[]> {
  const { settings, elsewhere, signal, ...events } = options;
  const store = new ModelStore(settings);
  const contents: object[] = [];
  for (const { stage, name, precision = settings.precision } of models) {
    const entry = findModel(name, stage);
    if (elsewhere.has(stage) || !hasGraph(entry)) {
      contents.push({ entry });
      continue;
    }
    const { files } = await store.open(entry, precisionFor(entry, precision), { ...events, signal });
    contents.push({ entry, files: files.map(({ sha256 }) => sha256) });
  }
  return contents;
}
