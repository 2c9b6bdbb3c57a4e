import type { Run } from "@ragline/artifacts";
import {
  checkFusionWeights,
  type FusionMethod,
  type FusionRecord,
  fusionMethods,
  fusionRecord,
  listWeights,
  parseFusionWeights,
  type WeighedList,
} from "@ragline/fusion";
import { findModel } from "@ragline/models";
import type { RunSettings } from "../run-settings.js";

/** How the result lists of a query become one. */
export interface FusionSettings {
  readonly method: FusionMethod;
  readonly rrfK: number;
  /** Weights in place of the default ones, by kind or model. */
  readonly weights: ReadonlyMap<string, number>;
}

/** The lists of a run's models, in order. */
export function plannedLists(
  settings: Pick<RunSettings, "ensembleModels" | "enableSparse" | "sparseModels">,
): WeighedList[] {
  const dense = settings.ensembleModels.map((name) => findModel(name, "dense"));
  const sparse = settings.enableSparse ? settings.sparseModels.map((name) => findModel(name, "sparse")) : [];
  return [
    ...dense.map(({ key }) => ({ name: key, kind: "dense" as const })),
    ...sparse.map(({ key, loader }) => ({ name: key, kind: loader === "bm25" ? "bm25" : "learned-sparse" }) as const),
  ];
}

/**
 * Reads the fusion of a run's settings.
 * @throws FusionWeightError when the weights cannot be used with these models.
 */
export function fusionSettings(
  settings: Pick<RunSettings, "fusion" | "rrfK" | "fusionWeights" | "ensembleModels" | "enableSparse" | "sparseModels">,
): FusionSettings {
  const lists = plannedLists(settings);
  const given = parseFusionWeights(settings.fusionWeights ?? []);
  // Case does not matter in the names of models, here as elsewhere.
  const keyOf = (name: string) => lists.find((list) => list.name.toLowerCase() === name.toLowerCase())?.name ?? name;
  const weights = new Map(Array.from(given, ([name, weight]) => [keyOf(name), weight]));
  checkFusionWeights(lists, weights);
  return { method: settings.fusion, rrfK: settings.rrfK, weights };
}

/** What the manifest says of a fusion: its method, its constants, and the weight of each list. */
export function describeFusion(
  fusion: FusionSettings,
  lists: readonly WeighedList[],
): FusionRecord & { readonly weights: Readonly<Record<string, number>> } {
  return { ...fusionRecord(fusion), weights: Object.fromEntries(listWeights(lists, fusion.weights)) };
}

/** The fusion that a run was made with; runs of the pipeline before this one name none. */
export function recordedFusion({ manifest }: Pick<Run, "manifest">): FusionSettings {
  const record = (manifest.fusion ?? {}) as Readonly<Record<string, unknown>>;
  const { k, weights } = record;
  const entries = Object.entries(typeof weights === "object" && weights !== null ? weights : {});
  return {
    method: fusionMethods.find((name) => name === record["method"]) ?? "zscore",
    rrfK: typeof k === "number" ? k : 60,
    weights: new Map(entries.filter((entry): entry is [string, number] => typeof entry[1] === "number")),
  };
}

/** The share of the CrossEncoder that a run was made with: manifests before 0.2 have its weight beside a fused 1. */
export function recordedRerankMix({ manifest }: Pick<Run, "manifest">): number | undefined {
  const mix = manifest.rerank_run?.["mix"];
  if (typeof mix !== "number" || !(mix >= 0)) return undefined;
  return manifest.rerank_run?.["mix_form"] === "share" ? Math.min(1, mix) : mix / (1 + mix);
}
