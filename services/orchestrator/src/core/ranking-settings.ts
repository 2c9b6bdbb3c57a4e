import type { Run } from "@ragline/artifacts";
import type { SettingProvenance } from "@ragline/config";
import type { RankingKey, RunSettings } from "../run-settings.js";
import { type FusionSettings, fusionSettings, recordedFusion, recordedRerankMix } from "./fusion-settings.js";
import { sparseQueryModels } from "./query-models.js";

/** How a CrossEncoder reads the candidates of a query. */
export interface RerankSettings {
  readonly model: string;
  /** Fused candidates that it scores. */
  readonly candidates: number;
  /** Its share in their order, from 0 to 1. */
  readonly mix: number;
}

/** How the lists of a finished run's models become one ranking. */
export interface RankingSettings {
  readonly fusion: FusionSettings;
  readonly rerank: RerankSettings;
}

/** Candidates of each query that a finished run's search scores. */
const defaultRerankCandidates = 100;

/**
 * How a finished run is ranked: as it was made, but for what was set anew.
 * @throws FusionWeightError when weights that were set cannot be used with the run's models.
 */
export function rankingSettings(
  run: Run,
  settings: Pick<RunSettings, RankingKey>,
  provenance: readonly SettingProvenance[],
): RankingSettings {
  const isSet = (name: string): boolean => provenance.some(({ key, layer }) => key === name && layer !== "default");
  const recorded = recordedFusion(run);
  const sparseModels = sparseQueryModels(run);
  const lists = {
    ensembleModels: run.dense.map(({ name }) => name),
    enableSparse: sparseModels.length > 0,
    sparseModels,
  };
  return {
    fusion: {
      method: isSet("fusion") ? settings.fusion : recorded.method,
      rrfK: isSet("rrf_k") ? settings.rrfK : recorded.rrfK,
      weights: isSet("fusion_weights") ? fusionSettings({ ...settings, ...lists }).weights : recorded.weights,
    },
    rerank: {
      model: (isSet("rerank_model") ? undefined : run.manifest.rerank_run?.model_name) ?? settings.rerankModel,
      candidates: settings.rerankCandidates ?? defaultRerankCandidates,
      mix: (isSet("rerank_mix") ? undefined : recordedRerankMix(run)) ?? settings.rerankMix,
    },
  };
}
