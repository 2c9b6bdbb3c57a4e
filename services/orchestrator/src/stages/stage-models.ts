import { choosePrecision, findModel, hasGraph, ModelStore, type Precision, type StoreEvents } from "@ragline/models";
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
    const available = Object.keys(entry.graphs) as Precision[];
    const precision = available.find((one) => one === asked) ?? (asked === "auto" ? choosePrecision(available) : asked);
    const once = `${entry.source.repository} ${precision}`;
    const refresh = settings.refreshCache && !isDone.has(once);
    isDone.add(once);
    // What is here is checked by the stage that opens it.
    if (!refresh && (await store.isHere(entry, precision as Precision))) continue;
    await store.open(entry, precision as Precision, { ...events, refresh, signal });
  }
}
