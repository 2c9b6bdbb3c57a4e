import { packSparse, type SparseVector } from "@ragline/vectors";
import { expect, test } from "vitest";
import {
  type AuditedRun,
  auditReport,
  DenseVectorAudit,
  findAnomalies,
  RowTally,
  SparseVectorAudit,
} from "../index.js";

const unit = (...values: number[]): number[] => {
  const length = Math.hypot(...values);
  return values.map((value) => value / length);
};

/** Dense vectors of some rows; others have none. */
function dense(chunks: number, rows: Readonly<Record<number, readonly number[]>>): DenseVectorAudit {
  const audit = new DenseVectorAudit(chunks);
  for (const [row, values] of Object.entries(rows))
    audit.add({ firstIndex: Number(row), columns: values.length, values: Float32Array.from(values) });
  return audit;
}

function sparse(rows: readonly (readonly number[])[]): SparseVectorAudit {
  const audit = new SparseVectorAudit(rows.length);
  const vectors = rows.map(
    (values): SparseVector => ({ indices: Uint32Array.from(values.keys()), values: Float32Array.from(values) }),
  );
  audit.add(packSparse(0, vectors.slice(0, 3)));
  audit.add(packSparse(3, vectors.slice(3)));
  return audit;
}

const anomalies = (run: Partial<AuditedRun>) =>
  findAnomalies({ chunks: 4, textKeys: Float64Array.of(1, 2, 3, 4), dense: [], sparse: [], rankings: [], ...run });
const truncated = new RowTally();
const model = "bge";

test("vectors that are as they should be are no anomaly", () => {
  const vectors = dense(4, { 0: unit(1, 2), 1: unit(2, 1), 2: unit(1, 1), 3: unit(1, 0) });
  expect(anomalies({ dense: [{ model, vectors, truncated }] })).toEqual([]);
});

test("missing vectors, lengths that are not 1, and texts that were cut are named by row", () => {
  const cut = new RowTally();
  cut.add(3);
  const vectors = dense(4, { 0: [3, 4], 1: [0, 0], 3: unit(1, 0) });
  expect(anomalies({ dense: [{ model, vectors, truncated: cut }] })).toMatchObject([
    { kind: "unreachable_chunk", model: "", count: 1, rows: [2] },
    {
      kind: "missing_vector",
      model,
      count: 1,
      rows: [2],
      detail: "1 of 4 chunks without a vector of bge, which cannot find them",
    },
    { kind: "outlier_norm", model, count: 2, rows: [0, 1] },
    { kind: "truncated_text", model, count: 1, rows: [3] },
  ]);
});

test("the same vector is strange where the texts differ, and only there", () => {
  const same = unit(1, 1);
  const vectors = dense(6, { 0: same, 1: unit(1, 0), 2: same, 3: unit(1, 0), 4: same, 5: unit(0, 1) });
  // Rows 1 and 3 have the same text as well.
  const textKeys = Float64Array.of(10, 11, 12, 11, 13, 14);
  expect(anomalies({ chunks: 6, textKeys, dense: [{ model, vectors, truncated }] })).toEqual([
    {
      kind: "identical_vectors",
      model,
      count: 3,
      rows: [0, 2, 4],
      detail:
        "3 of 6 chunks with different texts and the same vector of bge, in 1 group of up to 3; it cannot tell them apart",
    },
  ]);
});

test("empty sparse vectors and those of a length that is far out are named", () => {
  const rows = Array.from({ length: 30 }, (_, i) => [1, 1 + (i % 5) / 10]);
  rows[4] = [];
  rows[20] = [9, 9];
  rows[21] = [99];
  const found = anomalies({ chunks: 30, sparse: [{ model: "splade", vectors: sparse(rows), truncated }] });
  expect(found).toMatchObject([
    { kind: "unreachable_chunk", rows: [4] },
    { kind: "empty_sparse_vector", model: "splade", count: 1, rows: [4] },
    { kind: "outlier_norm", model: "splade", count: 2, rows: [21, 20] },
  ]);
  // Too few to say what is usual.
  expect(anomalies({ sparse: [{ model, vectors: sparse([[1], [1], [1], [99]]), truncated }] })).toEqual([]);
});

const query = (row: number) => ({
  kind: "heading" as const,
  text: `query ${row}`,
  row,
  document: "a.md",
  contentType: "prose",
  section: [],
  // Row + 200 stands in the same section.
  answers: new Set([row, row + 200]),
  duplicates: new Set([row]),
});

test("a chunk that answers nothing and is found everywhere is a hub; one that no query finds is told", () => {
  const queries = Array.from({ length: 20 }, (_, i) => query(i));
  // Row 99 is among the first ten for every query, row 98 for three; instead of row 5 another of its section is found.
  const lists = queries.map(({ row }) => [row === 5 ? 205 : row, 99, ...(row < 3 ? [98] : [])]);
  const rankings = [{ ranking: "fused", lists }];
  const audit = auditReport(queries, rankings);
  expect(anomalies({ chunks: 1000, rankings, audit })).toMatchObject([
    { kind: "unreachable_chunk", count: 1000 },
    { kind: "not_found_chunk", model: "", count: 1, rows: [5] },
    {
      kind: "hub",
      model: "fused",
      count: 1,
      rows: [99],
      detail:
        "1 of 1000 chunks among the first 10 of fused for 20 % or more of the queries without answering them, the most frequent for 20 of 20",
    },
  ]);
});

test("in a small corpus every chunk is among the first ten; none is a hub for that", () => {
  const queries = Array.from({ length: 20 }, (_, i) => query(i));
  const lists = queries.map(() => [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  const rankings = [{ ranking: "fused", lists }];
  const kinds = anomalies({ chunks: 20, rankings, audit: auditReport(queries, rankings) }).map(({ kind }) => kind);
  expect(kinds).not.toContain("hub");
});
