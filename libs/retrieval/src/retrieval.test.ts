import { type DenseBlock, packSparse, type SparseVector } from "@ragline/vectors";
import fc from "fast-check";
import { expect, test } from "vitest";
import { denseTopK, inverseDocumentFrequency, NonFiniteScoreError, type ScoredRow, sparseTopK, TopK } from "./index.js";

/** Few distinct values, so that equal scores are common. */
const coarse = fc.integer({ min: -3, max: 3 });

function sorted(rows: ScoredRow[], k: number): ScoredRow[] {
  return rows.sort((a, b) => b.score - a.score || a.row - b.row).slice(0, k);
}

/** Cuts [0, count) at the given positions, taken modulo count + 1. */
function cuts(count: number, positions: readonly number[]): [number, number][] {
  const ends = [...positions.map((position) => position % (count + 1)), count].sort((a, b) => a - b);
  return ends.map((end, i) => [i === 0 ? 0 : (ends[i - 1] as number), end]);
}

const anyPositions = fc.array(fc.nat(1000), { maxLength: 5 });

test("TopK keeps what sorting keeps, whatever the order of offers", () => {
  fc.assert(
    fc.property(
      fc.uniqueArray(fc.record({ row: fc.nat(200), score: coarse }), { selector: (r) => r.row, maxLength: 60 }),
      fc.integer({ min: 1, max: 20 }),
      (rows, k) => {
        const top = new TopK(k);
        for (const { row, score } of rows) top.offer(row, score);
        expect(top.ranked()).toEqual(sorted([...rows], k));
      },
    ),
  );
});

test.each([0, -1, 1.5, Number.NaN])("TopK refuses k = %s", (k) => {
  expect(() => new TopK(k)).toThrow("k is");
});

test("dense search equals brute force for any split into blocks, in any order", async () => {
  const cases = fc.record({
    dimension: fc.integer({ min: 1, max: 9 }),
    rows: fc.nat(40),
    queries: fc.nat(11),
    k: fc.integer({ min: 1, max: 12 }),
    positions: anyPositions,
    values: fc.array(coarse, { minLength: 51 * 9, maxLength: 51 * 9 }),
  });
  await fc.assert(
    fc.asyncProperty(cases, async ({ dimension, rows, queries, k, positions, values }) => {
      const corpus = Float32Array.from(values.slice(0, rows * dimension));
      const asked = Float32Array.from(values.slice(40 * 9, 40 * 9 + queries * dimension));
      const blocks = cuts(rows, positions).map(
        ([from, to]): DenseBlock => ({
          firstIndex: from,
          columns: dimension,
          values: corpus.subarray(from * dimension, to * dimension),
        }),
      );
      const expected = Array.from({ length: queries }, (_, q) =>
        sorted(
          Array.from({ length: rows }, (_, row) => {
            let score = 0;
            for (let i = 0; i < dimension; i++) {
              score += (corpus[row * dimension + i] as number) * (asked[q * dimension + i] as number);
            }
            return { row, score };
          }),
          k,
        ),
      );
      for (const ordered of [blocks, blocks.toReversed()]) {
        expect(await denseTopK({ blocks: ordered, queries: asked, dimension, k })).toEqual(expected);
      }
    }),
  );
});

test("a dense score has the same bits whichever queries are asked beside it", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.float32Array({ minLength: 7 * 6, maxLength: 7 * 6, noNaN: true, min: -1, max: 1 }),
      fc.float32Array({ minLength: 6 * 5, maxLength: 6 * 5, noNaN: true, min: -1, max: 1 }),
      async (queries, values) => {
        const blocks = [{ firstIndex: 0, columns: 6, values }];
        const together = await denseTopK({ blocks, queries, dimension: 6, k: 5 });
        for (let q = 0; q < 7; q++) {
          const alone = await denseTopK({ blocks, queries: queries.slice(q * 6, q * 6 + 6), dimension: 6, k: 5 });
          expect(alone[0]).toEqual(together[q]);
        }
      },
    ),
  );
});

test.each([
  ["NaN", Number.NaN],
  ["Infinity", Infinity],
  ["-Infinity", -Infinity],
])("dense search names the row of a vector with %s, even when the heap is full", async (_, bad) => {
  const blocks = [{ firstIndex: 10, columns: 2, values: Float32Array.of(5, 5, bad, 1) }];
  const search = denseTopK({ blocks, queries: Float32Array.of(1, 1), dimension: 2, k: 1 });
  await expect(search).rejects.toMatchObject({ name: "NonFiniteScoreError", row: 11, query: 0 });
});

test.each([
  ["queries of another width", { queries: new Float32Array(5), columns: 2, values: new Float32Array(2) }],
  ["a block of another width", { queries: new Float32Array(2), columns: 3, values: new Float32Array(3) }],
  ["a block with half a row", { queries: new Float32Array(2), columns: 2, values: new Float32Array(3) }],
])("dense search refuses %s", async (_, { queries, columns, values }) => {
  const search = denseTopK({ blocks: [{ firstIndex: 0, columns, values }], queries, dimension: 2, k: 1 });
  await expect(search).rejects.toThrow(RangeError);
});

const sparseRow = fc.uniqueArray(fc.nat(12), { maxLength: 6 }).chain((ids) =>
  fc.array(coarse, { minLength: ids.length, maxLength: ids.length }).map(
    (values): SparseVector => ({
      indices: Uint32Array.from(ids.sort((a, b) => a - b)),
      values: Float32Array.from(values),
    }),
  ),
);

test.each([undefined, "idf"] as const)("sparse search equals brute force, modifier %s", async (modifier) => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(sparseRow, { maxLength: 30 }),
      fc.array(sparseRow, { maxLength: 4 }),
      fc.integer({ min: 1, max: 8 }),
      anyPositions,
      async (rows, queries, k, positions) => {
        const open = () => cuts(rows.length, positions).map(([from, to]) => packSparse(from, rows.slice(from, to)));
        const found = await sparseTopK({ open, queries, k, ...(modifier && { modifier }) });
        found.forEach((list, q) => {
          const query = queries[q] as SparseVector;
          const expected = rows.map((row, r) => {
            let score = 0;
            row.indices.forEach((index, i) => {
              const at = query.indices.indexOf(index);
              if (at < 0) return;
              const df = rows.filter((other) => other.indices.includes(index)).length;
              const idf = modifier === "idf" ? Math.log((rows.length - df + 0.5) / (df + 0.5) + 1) : 1;
              score += (row.values[i] as number) * ((query.values[at] as number) * idf);
            });
            return { row: r, score };
          });
          expect(list).toEqual(
            sorted(
              expected.filter(({ score }) => score > 0),
              k,
            ),
          );
        });
        expect(found.length).toBe(queries.length);
      },
    ),
  );
});

test("idf is Qdrant's: rare terms count more, and none counts below 0", () => {
  expect(inverseDocumentFrequency(10, 1)).toBeCloseTo(Math.log(9.5 / 1.5 + 1), 15);
  expect(inverseDocumentFrequency(10, 10)).toBeGreaterThan(0);
});

test("sparse search names the row of a weight that is not finite", async () => {
  const vector = (weight: number): SparseVector => ({ indices: Uint32Array.of(7), values: Float32Array.of(weight) });
  const search = sparseTopK({
    open: () => [packSparse(3, [vector(1), vector(Number.NaN)])],
    queries: [vector(1)],
    k: 1,
  });
  await expect(search).rejects.toThrow(NonFiniteScoreError);
  await expect(search).rejects.toThrow("row 4");
});
