import { zScores } from "./z-score.js";

/** One model's result for one query. */
export interface RankedList {
  /** Name of the model, unique among the lists that are fused. */
  readonly name: string;
  /** How much the list counts; finite and not negative. See {@link defaultWeight}. */
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
export type FusionMethod = "zscore" | "rrf";

/** How to fuse. */
export interface FuseOptions {
  /** "zscore" sums weighted standard scores; "rrf" is reciprocal rank fusion. @default "zscore" */
  readonly method?: FusionMethod;
  /** The constant k of reciprocal rank fusion, with ranks from 1. @default 60 */
  readonly rrfK?: number;
}

/** The options in force, as the manifest records them. */
export type FusionRecord =
  | { readonly method: "zscore"; readonly missing: "list-minimum" }
  | { readonly method: "rrf"; readonly k: number; readonly rank_base: 1 };

/** Resolves options to what is recorded about a fusion. */
export function fusionRecord(options: FuseOptions = {}): FusionRecord {
  if (options.method === "rrf") return { method: "rrf", k: options.rrfK ?? 60, rank_base: 1 };
  return { method: "zscore", missing: "list-minimum" };
}

/**
 * Fuses the result lists of one query: fused score descending, ties by row ascending. The order of the lists does not
 * matter.
 *
 * "zscore": the sum over the lists of weight * z, with z the standard score within the list. A row that a list lacks
 * gets the list's lowest z: all that is known is that it scored no better than the last one listed. A list that is
 * empty, has one candidate or only equal scores adds 0 to every row. Scale and shift of a list's scores do not matter.
 *
 * "rrf": the sum over the lists that found the row of weight / (k + rank), ranks from 1 (Cormack, Clarke and Büttcher,
 * SIGIR 2009, k = 60).
 * @throws RangeError when names repeat, a list is not sorted, repeats a row or holds a number that is not finite.
 */
export function fuse(lists: readonly RankedList[], options: FuseOptions = {}): FusedCandidate[] {
  const record = fusionRecord(options);
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
    const z = record.method === "zscore" ? zScores(candidates.map(({ score }) => score)) : [];
    for (const candidate of found.values()) {
      const rank = candidate.sources[name]?.rank;
      if (record.method === "zscore") candidate.score += weight * (z[(rank ?? z.length) - 1] ?? 0);
      else if (rank !== undefined) candidate.score += weight / (record.k + rank);
    }
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
