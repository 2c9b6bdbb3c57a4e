import { type NormalisedScores, normaliseByDistribution, normaliseByMinMax, normaliseByZScore } from "./normalise.js";

/** One model's result for one query. */
export interface RankedList {
  /** Name of the model, unique among the lists that are fused. */
  readonly name: string;
  /** How much the list counts; finite and not negative. See {@link listWeights}. */
  readonly weight: number;
  /** Best first: scores never rise, and no row occurs twice. */
  readonly candidates: readonly { readonly row: number; readonly score: number }[];
}

/** Where one list had a candidate. */
export interface FusionSource {
  /** Position in the list, from 1. */
  readonly rank: number;
  /** The list's own score. */
  readonly score: number;
}

/** A row that at least one list found. */
export interface FusedCandidate {
  readonly row: number;
  /** Fused score: comparable within one query only. */
  readonly score: number;
  /** The lists that found the row, by name. */
  readonly sources: Readonly<Record<string, FusionSource>>;
}

/** How result lists become one score. */
export type FusionMethod = "zscore" | "rrf" | "minmax" | "dbsf" | "combmnz";

/** The methods by name, the default first. */
export const fusionMethods = ["zscore", "rrf", "minmax", "dbsf", "combmnz"] as const satisfies readonly FusionMethod[];

/** How to fuse. */
export interface FuseOptions {
  /** See {@link fuse}. @default "zscore" */
  readonly method?: FusionMethod;
  /** The constant k of reciprocal rank fusion, with ranks from 1. @default 60 */
  readonly rrfK?: number;
}

/** The options in force, as the manifest records them. */
export type FusionRecord =
  | { readonly method: "rrf"; readonly k: number; readonly rank_base: 1; readonly missing: "zero" }
  | { readonly method: "zscore"; readonly missing: "list-minimum" }
  | { readonly method: "minmax" | "dbsf" | "combmnz"; readonly missing: "zero" };

/** Resolves options to what is recorded about a fusion. */
export function fusionRecord(options: FuseOptions = {}): FusionRecord {
  const { method = "zscore", rrfK = 60 } = options;
  if (method === "rrf") return { method, k: rrfK, rank_base: 1, missing: "zero" };
  return method === "zscore" ? { method, missing: "list-minimum" } : { method, missing: "zero" };
}

/** A list's share in the score of its candidates, before its weight. */
function contributions(candidates: RankedList["candidates"], record: FusionRecord): NormalisedScores {
  const scores = candidates.map(({ score }) => score);
  switch (record.method) {
    case "rrf":
      return { scores: scores.map((_, i) => 1 / (record.k + i + record.rank_base)), absent: 0 };
    case "zscore":
      return normaliseByZScore(scores);
    case "dbsf":
      return normaliseByDistribution(scores);
    case "minmax":
    case "combmnz":
      return normaliseByMinMax(scores);
  }
}

/**
 * Fuses the result lists of one query: fused score descending, ties by row ascending. The order of the lists does not
 * matter. A fused score is the sum over the lists of weight * share, and a row's share in a list is by method:
 *
 * "zscore": the standard score within the list; where the list lacks the row, the list's lowest. A list that is empty, has
 * one candidate or only equal scores adds 0 to every row.
 * "rrf": 1 / (k + rank), ranks from 1 (Cormack, Clarke and Büttcher, SIGIR 2009, k = 60); 0 where the list lacks the row.
 * "minmax": the score between the list's lowest (0) and highest (1); 0 where the list lacks the row.
 * "dbsf": the score between mean - 3 sd (0) and mean + 3 sd (1) of the list; 0 where the list lacks the row.
 * "combmnz": as "minmax", and the sum is multiplied by the number of lists of weight above 0 that found the row (Fox and
 * Shaw, TREC-2, 1994).
 *
 * With all but "rrf", scale and shift of a list's scores do not matter.
 * @throws RangeError when k is negative, names repeat, a list is not sorted, repeats a row or holds a number that is
 * not finite.
 */
export function fuse(lists: readonly RankedList[], options: FuseOptions = {}): FusedCandidate[] {
  const record = fusionRecord(options);
  if (record.method === "rrf" && !(record.k >= 0 && record.k < Infinity))
    throw new RangeError(`the k of reciprocal rank fusion is ${record.k}; it must be 0 or more`);
  // Addition in one fixed order: the bits of a sum depend on it.
  const ordered = [...lists].sort((a, b) => (a.name < b.name ? -1 : 1));
  ordered.forEach((list, i) => {
    validate(list, ordered[i - 1]);
  });
  const found = new Map<number, { score: number; sources: Record<string, FusionSource> }>();
  for (const { name, candidates } of ordered) {
    candidates.forEach(({ row, score }, i) => {
      let candidate = found.get(row);
      if (candidate === undefined) found.set(row, (candidate = { score: 0, sources: {} }));
      candidate.sources[name] = { rank: i + 1, score };
    });
  }
  for (const { name, weight, candidates } of ordered) {
    const { scores, absent } = contributions(candidates, record);
    for (const candidate of found.values()) {
      const rank = candidate.sources[name]?.rank;
      candidate.score += weight * (rank === undefined ? absent : (scores[rank - 1] as number));
    }
  }
  if (record.method === "combmnz") {
    const counted = ordered.filter(({ weight }) => weight > 0);
    for (const candidate of found.values())
      candidate.score *= counted.filter(({ name }) => candidate.sources[name] !== undefined).length;
  }
  return Array.from(found, ([row, { score, sources }]) => ({ row, score, sources })).sort(
    (a, b) => b.score - a.score || a.row - b.row,
  );
}

function validate(list: RankedList, previous: RankedList | undefined): void {
  if (list.name === previous?.name) throw new RangeError(`two result lists are named "${list.name}"`);
  if (!Number.isFinite(list.weight) || list.weight < 0) {
    throw new RangeError(`the weight of list "${list.name}" is ${list.weight}; it must be finite and not negative`);
  }
  const rows = new Set<number>();
  let last = Infinity;
  for (const { row, score } of list.candidates) {
    if (!Number.isFinite(score)) throw new RangeError(`list "${list.name}" gives row ${row} the score ${score}`);
    if (score > last) throw new RangeError(`list "${list.name}" is not sorted by score: row ${row} rises to ${score}`);
    if (rows.has(row)) throw new RangeError(`list "${list.name}" holds row ${row} twice`);
    rows.add(row);
    last = score;
  }
}
