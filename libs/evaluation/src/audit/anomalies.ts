import type { AuditedRanking, SelfAudit } from "./audit-report.js";
import type { DenseVectorAudit } from "./dense-vector-audit.js";
import { RowTally } from "./row-tally.js";
import type { SparseVectorAudit } from "./sparse-vector-audit.js";

/** What is strange about chunks or their vectors. */
export type AnomalyKind =
  /** No model has a vector of the chunk: no query can find it. */
  | "unreachable_chunk"
  /** No list of any query that was made from the chunk holds it. */
  | "not_found_chunk"
  /** The chunk is among the first of many queries that it does not answer. */
  | "hub"
  /** Chunks with different texts and the same vector. */
  | "identical_vectors"
  | "outlier_norm"
  | "missing_vector"
  | "empty_sparse_vector"
  /** The model did not read all of the text. */
  | "truncated_text";

/** Chunks that somebody should look at. */
export interface Anomaly {
  readonly kind: AnomalyKind;
  /** Registry key of the model, or the ranking; empty where it is about all of them. */
  readonly model: string;
  /** How many chunks. */
  readonly count: number;
  /** Some of them: the first, the farthest or the largest, ten at most. */
  readonly rows: readonly number[];
  /** What it is and what it means, in a sentence. */
  readonly detail: string;
}

/** What was seen of one model. */
export interface AuditedModel<Vectors> {
  readonly model: string;
  readonly vectors: Vectors;
  /** Rows whose text the model did not read to its end. */
  readonly truncated: RowTally;
}

/** All that anomalies are looked for in. */
export interface AuditedRun {
  readonly chunks: number;
  /** `textKey` of each row's text. */
  readonly textKeys: Float64Array;
  readonly dense: readonly AuditedModel<DenseVectorAudit>[];
  readonly sparse: readonly AuditedModel<SparseVectorAudit>[];
  /** Absent without queries of a self-audit. */
  readonly audit?: SelfAudit;
  readonly rankings: readonly AuditedRanking[];
}

const share = (count: number, of: number): string => `${count} of ${of} chunks`;

function* tallied(
  kind: AnomalyKind,
  model: string,
  tally: Pick<RowTally, "count" | "first">,
  detail: string,
): Generator<Anomaly> {
  if (tally.count > 0) yield { kind, model, count: tally.count, rows: tally.first, detail };
}

function* denseAnomalies(run: AuditedRun): Generator<Anomaly> {
  for (const { model, vectors, truncated } of run.dense) {
    const { missing, outlierNorms } = vectors;
    yield* tallied(
      "missing_vector",
      model,
      missing,
      `${share(missing.count, run.chunks)} without a vector of ${model}, which cannot find them`,
    );
    yield* tallied(
      "outlier_norm",
      model,
      outlierNorms,
      `${share(outlierNorms.count, run.chunks)} with a vector of ${model} whose length is not 1, so that its scores are no cosines`,
    );
    const { chunks, groups, largest, largestSize } = vectors.identical(run.textKeys);
    if (chunks > 0)
      yield {
        kind: "identical_vectors",
        model,
        count: chunks,
        rows: largest,
        detail: `${share(chunks, run.chunks)} with different texts and the same vector of ${model}, in ${groups} ${groups === 1 ? "group" : "groups"} of up to ${largestSize}; it cannot tell them apart`,
      };
    yield* truncatedTexts(model, truncated, run.chunks);
  }
}

function* sparseAnomalies(run: AuditedRun): Generator<Anomaly> {
  for (const { model, vectors, truncated } of run.sparse) {
    yield* tallied(
      "empty_sparse_vector",
      model,
      vectors.empty,
      `${share(vectors.empty.count, run.chunks)} with an empty vector of ${model}, which cannot find them`,
    );
    const { count, rows, low, high } = vectors.outlierNorms();
    if (count > 0)
      yield {
        kind: "outlier_norm",
        model,
        count,
        rows,
        detail: `${share(count, run.chunks)} with a vector of ${model} whose length is far from that of the others, outside ${low.toPrecision(3)} to ${high.toPrecision(3)}`,
      };
    yield* truncatedTexts(model, truncated, run.chunks);
  }
}

function truncatedTexts(model: string, truncated: RowTally, chunks: number): Generator<Anomaly> {
  const detail = `${share(truncated.count, chunks)} with more tokens than ${model} reads; what comes after is not in its vectors`;
  return tallied("truncated_text", model, truncated, detail);
}

/** Chunks that have no vector anywhere. */
function unreachable({ chunks, dense, sparse }: AuditedRun): RowTally {
  const tally = new RowTally();
  const vectors = [...dense, ...sparse].map((one) => one.vectors);
  for (let row = 0; row < chunks; row++) if (!vectors.some((of) => of.has(row))) tally.add(row);
  return tally;
}

/** Chunks that queries were made from, and that no list of any of these queries holds, nor one that says the same. */
function notFound({ queries }: SelfAudit, { rankings }: AuditedRun): RowTally {
  const found = new Map<number, boolean>();
  queries.forEach(({ row, duplicates }, i) => {
    const here = rankings.some(({ lists }) => lists[i]?.some((candidate) => duplicates.has(candidate)));
    found.set(row, (found.get(row) ?? false) || here);
  });
  const tally = new RowTally();
  for (const [row, isFound] of found) if (!isFound) tally.add(row);
  return tally;
}

const hubDepth = 10;
/** A hub is among the first for at least this share of the queries, for at least so many, ... */
const leastHubShare = 0.2;
const leastHubQueries = 5;
/** ... and so many times as often as it would be if every chunk were found alike. */
const leastHubExcess = 5;

/** Chunks that are among the first ten of many queries that they do not answer, the most frequent first. */
function hubsOf({ lists }: AuditedRanking, { queries }: SelfAudit, chunks: number): { row: number; count: number }[] {
  const counts = new Map<number, number>();
  queries.forEach(({ answers }, i) => {
    for (const row of (lists[i] ?? []).slice(0, hubDepth))
      if (!answers.has(row)) counts.set(row, (counts.get(row) ?? 0) + 1);
  });
  const expected = (hubDepth * queries.length) / chunks;
  const least = Math.max(leastHubQueries, leastHubShare * queries.length, leastHubExcess * expected);
  return Array.from(counts, ([row, count]) => ({ row, count }))
    .filter(({ count }) => count >= least)
    .sort((a, b) => b.count - a.count || a.row - b.row);
}

function* auditAnomalies(audit: SelfAudit, run: AuditedRun): Generator<Anomaly> {
  const { rankings, chunks } = run;
  const lost = notFound(audit, run);
  yield* tallied(
    "not_found_chunk",
    "",
    lost,
    `${lost.count} chunks in no list of any model for the queries that were made from them`,
  );
  for (const ranking of rankings) {
    const hubs = hubsOf(ranking, audit, chunks);
    const [top] = hubs;
    if (top === undefined) continue;
    yield {
      kind: "hub",
      model: ranking.ranking,
      count: hubs.length,
      rows: hubs.slice(0, 10).map(({ row }) => row),
      detail: `${share(hubs.length, chunks)} among the first ${hubDepth} of ${ranking.ranking} for ${leastHubShare * 100} % or more of the queries without answering them, the most frequent for ${top.count} of ${audit.queries.length}`,
    };
  }
}

/** What is strange about the chunks of a run and their vectors, the worst first. */
export function findAnomalies(run: AuditedRun): Anomaly[] {
  const lost = unreachable(run);
  return [
    ...tallied(
      "unreachable_chunk",
      "",
      lost,
      `${share(lost.count, run.chunks)} without a vector of any model; no query can find them`,
    ),
    ...(run.audit ? auditAnomalies(run.audit, run) : []),
    ...denseAnomalies(run),
    ...sparseAnomalies(run),
  ];
}
