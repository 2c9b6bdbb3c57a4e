import type { Outcome } from "@ragline/contracts";
import type { FusedCandidate } from "@ragline/fusion";
import type { RunAudit } from "./audit-run.js";
import type { CollectedChunks } from "./collect-chunks.js";
import type { DenseSpace } from "./dense-stage.js";
import type { PlannedCollection } from "./plan-collections.js";
import type { RerankResult } from "./rerank-stage.js";
import type { RunQuery } from "./run-queries.js";
import type { SparseSpace } from "./sparse-stage.js";

/** What became of the rerank stage; `firstIds` are the points kept for the first query. */
export type RerankState =
  | { readonly status: "disabled" }
  | {
      readonly status: "executed";
      readonly model: string;
      readonly depth: number;
      readonly result: RerankResult;
      readonly firstIds: readonly string[];
    }
  | { readonly status: "skipped" | "error"; readonly model: string; readonly outcome: Outcome };

/** When a stage worked, in milliseconds of `performance.now()`. */
export interface StepTimes {
  readonly startedAt: number;
  readonly endedAt: number;
}

/** Everything that the stages before export made of a collection. */
export interface CollectionResult {
  readonly planned: PlannedCollection;
  readonly collected: CollectedChunks;
  readonly queries: readonly RunQuery[];
  readonly dense: readonly DenseSpace[];
  readonly sparse: readonly SparseSpace[];
  readonly fused: readonly FusedCandidate[][];
  readonly rerank: RerankState;
  readonly audit: RunAudit;
  /** Seconds of each stage, by name. */
  readonly seconds: Readonly<Record<"chunk" | "dense" | "sparse" | "fusion" | "rerank" | "audit", number>>;
  /** When each stage that worked did so, by name; chunking and the first dense model work at the same time. */
  readonly times: Readonly<Record<string, StepTimes>>;
  /** Span ids of the stages, by name. */
  readonly spanIds: Readonly<Record<string, string>>;
}
