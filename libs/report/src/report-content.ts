import type { Manifest, RunStats } from "@ragline/artifacts";
import type { ChunkFacts } from "./gather-chunks.js";
import type { Projection } from "./project-sample.js";

/** All that the page is drawn from. */
export interface ReportContent {
  readonly manifest: Manifest;
  readonly stats: RunStats;
  readonly chunks: ChunkFacts;
  /** Of the primary dense model. */
  readonly map: Projection & { readonly model: string };
  /** Beginnings of the texts of the sample. */
  readonly previews: readonly string[];
  /** Beginnings of the texts of chunks that stand for anomalies, by row. */
  readonly anomalyPreviews: ReadonlyMap<number, string>;
  /** Most tokens that each model reads. */
  readonly tokenLimits: Readonly<Record<string, number>>;
}
