import { type FusedCandidate, fuse, type ListKind, listWeights, type RankedList } from "@ragline/fusion";
import { denseTopK, type ScoredRow, sparseTopK } from "@ragline/retrieval";
import type { DenseBlock, SparseBlock, SparseVector } from "@ragline/vectors";
import type { FusionSettings } from "./fusion-settings.js";

/** A dense model's vectors of chunks and queries. */
export interface DenseSource {
  readonly model: string;
  readonly dimension: number;
  blocks(): AsyncIterable<DenseBlock>;
  /** One row per query; one of zeros finds nothing. */
  readonly queries: Float32Array;
}

/** A sparse model's vectors of chunks and queries. */
export interface SparseSource {
  readonly model: string;
  /** Whether scores need inverse document frequency. */
  readonly isLexical: boolean;
  blocks(): AsyncIterable<SparseBlock>;
  readonly queries: readonly SparseVector[];
}

/** One model's results for all queries. */
export interface ModelResults {
  readonly model: string;
  readonly kind: ListKind;
  /** Best first, one list per query. */
  readonly lists: readonly ScoredRow[][];
}

/** How many results of each model are fused; docs/decisions/0003-fusion-defaults.md. */
export const listDepth = 100;

/** Exact search of every query in every space. */
export async function searchSpaces(
  dense: readonly DenseSource[],
  sparse: readonly SparseSource[],
  depth: number,
): Promise<ModelResults[]> {
  const results: ModelResults[] = [];
  for (const source of dense) {
    const { model, dimension, queries } = source;
    const found = await denseTopK({ blocks: source.blocks(), queries, dimension, k: depth });
    results.push({ model, kind: "dense", lists: withoutBlankQueries(found, queries, dimension) });
  }
  for (const source of sparse) {
    const { model, isLexical, queries } = source;
    const kind = isLexical ? "bm25" : "learned-sparse";
    const lists = await sparseTopK({
      open: () => source.blocks(),
      queries: [...queries],
      k: depth,
      ...(isLexical ? { modifier: "idf" as const } : {}),
    });
    results.push({ model, kind, lists });
  }
  return results;
}

/** Empties the lists of queries that a model could not embed: vectors of zeros, which find every chunk alike. */
export function withoutBlankQueries(
  lists: readonly ScoredRow[][],
  queries: Float32Array,
  dimension: number,
): ScoredRow[][] {
  return lists.map((list, i) =>
    queries.subarray(i * dimension, (i + 1) * dimension).some((value) => value !== 0) ? list : [],
  );
}

/** The fused candidates of each query. */
export function fuseResults(
  results: readonly ModelResults[],
  queryCount: number,
  fusion: FusionSettings,
): FusedCandidate[][] {
  const weights = listWeights(
    results.map(({ model, kind }) => ({ name: model, kind })),
    fusion.weights,
  );
  return Array.from({ length: queryCount }, (_, query) => {
    const lists = results.map(
      ({ model, lists }): RankedList => ({
        name: model,
        weight: weights.get(model) ?? 0,
        candidates: lists[query] ?? [],
      }),
    );
    return fuse(lists, fusion);
  });
}
