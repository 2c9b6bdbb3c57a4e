import { bootstrapInterval } from "../bootstrap-interval.js";
import { wilsonInterval } from "../wilson-interval.js";
import type { AuditQuery } from "./audit-sampler.js";
import {
  answerRank,
  type KnownItemFigure,
  type KnownItemMetrics,
  knownItemFigures,
  knownItemMetrics,
} from "./known-item-metrics.js";

/** A query of the audit with the rows that answer it. */
export interface AnsweredQuery extends AuditQuery {
  /** The chunk that it was made from, those that say the same, and for a heading those of its section. */
  readonly answers: ReadonlySet<number>;
  /** Those of the answers that say the same as the chunk, itself among them. */
  readonly duplicates: ReadonlySet<number>;
}

/** A ranking of all queries. */
export interface AuditedRanking {
  /** A model's key, "fused" or "reranked". */
  readonly ranking: string;
  /** For each query the rows found, best first. */
  readonly lists: readonly (readonly number[])[];
}

type Bounds = readonly [low: number, high: number];

/** How well one ranking finds the answers. */
export interface AuditRow extends KnownItemMetrics {
  /** A model's key, "fused" or "reranked". */
  readonly ranking: string;
  /** 95 % intervals: Wilson's of the shares, bootstrapped of the mean reciprocal rank. Absent for single documents. */
  readonly intervals?: Readonly<Record<KnownItemFigure, Bounds>>;
}

/** The figures of a part of the queries. */
export interface AuditStratum {
  /** What the part has in common. */
  readonly by: "kind" | "content_type" | "document";
  /** Such as "heading", "table_section", "guide.md". */
  readonly value: string;
  readonly queries: number;
  /** All rankings; of single documents the last one alone. */
  readonly rankings: readonly AuditRow[];
}

/** What a self-audit found. */
export interface SelfAudit {
  readonly rankings: readonly AuditRow[];
  /** Query kinds, then content types, then documents, the worst first. */
  readonly strata: readonly AuditStratum[];
  /** Documents that were asked about, and are not among the strata. */
  readonly documentsLeftOut: number;
  readonly queries: readonly AnsweredQuery[];
  /** Ranking -> rank of each query's first right answer. */
  readonly ranks: Readonly<Record<string, readonly (number | null)[]>>;
}

/** Documents that are told of at most: the worst. */
const maxDocuments = 100;

/** Resampled values of one interval at most, so that many queries take no longer than some. */
const maxResampled = 20_000_000;

function auditRow(ranking: string, ranks: readonly (number | null)[], withIntervals: boolean): AuditRow {
  const metrics = knownItemMetrics(ranks);
  if (!withIntervals) return { ranking, ...metrics };
  const samples = Math.max(100, Math.min(10_000, Math.floor(maxResampled / Math.max(1, ranks.length))));
  const { low, high } = bootstrapInterval(ranks.map(knownItemFigures.mrrAt10), { samples });
  return {
    ranking,
    ...metrics,
    intervals: {
      hitAt1: wilsonInterval(metrics.hitAt1, ranks.length),
      hitAt10: wilsonInterval(metrics.hitAt10, ranks.length),
      mrrAt10: [low, high],
    },
  };
}

/** Positions of the queries by a property of theirs, in the order of their first one. */
function positionsBy(queries: readonly AnsweredQuery[], valueOf: (query: AnsweredQuery) => string) {
  const positions = new Map<string, number[]>();
  queries.forEach((query, i) => {
    const value = valueOf(query);
    const known = positions.get(value);
    if (known === undefined) positions.set(value, [i]);
    else known.push(i);
  });
  return positions;
}

/**
 * Measures how well rankings find the chunks that queries were made from: all queries, and by their kind, by what the chunk
 * holds and by document.
 * @param rankings the last one is what the run is for: single documents are told by it.
 */
export function auditReport(queries: readonly AnsweredQuery[], rankings: readonly AuditedRanking[]): SelfAudit {
  const ranks = Object.fromEntries(
    rankings.map(({ ranking, lists }) => [
      ranking,
      queries.map(({ answers }, i) => answerRank(lists[i] ?? [], answers)),
    ]),
  );
  const names = rankings.map(({ ranking }) => ranking);
  const rows = (of: readonly string[], positions: readonly number[] | undefined, withIntervals: boolean): AuditRow[] =>
    of.map((ranking) => {
      const all = ranks[ranking] ?? [];
      return auditRow(ranking, positions?.map((i) => all[i] ?? null) ?? all, withIntervals);
    });
  const strata = (by: AuditStratum["by"], of: readonly string[], valueOf: (query: AnsweredQuery) => string) =>
    Array.from(
      positionsBy(queries, valueOf),
      ([value, positions]): AuditStratum => ({
        by,
        value,
        queries: positions.length,
        rankings: rows(of, positions, by !== "document"),
      }),
    );
  const documents = strata("document", names.slice(-1), ({ document }) => document).sort(worstFirst);
  return {
    rankings: rows(names, undefined, true),
    strata: [
      ...strata("kind", names, ({ kind }) => kind).sort(byName),
      ...strata("content_type", names, ({ contentType }) => contentType).sort(byName),
      ...documents.slice(0, maxDocuments),
    ],
    documentsLeftOut: Math.max(0, documents.length - maxDocuments),
    queries,
    ranks,
  };
}

const byName = (a: AuditStratum, b: AuditStratum): number => (a.value < b.value ? -1 : 1);

function worstFirst(a: AuditStratum, b: AuditStratum): number {
  const mrr = ({ rankings }: AuditStratum): number => rankings[0]?.mrrAt10 ?? 0;
  return mrr(a) - mrr(b) || byName(a, b);
}
