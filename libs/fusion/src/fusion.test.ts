import fc from "fast-check";
import { expect, test } from "vitest";
import {
  checkFusionWeights,
  type FusedCandidate,
  fuse,
  fusionMethods,
  fusionRecord,
  listWeights,
  mixRerank,
  parseFusionWeights,
  type RankedList,
} from "./index.js";

function list(name: string, scores: Readonly<Record<number, number>>, weight = 1): RankedList {
  const candidates = Object.entries(scores)
    .map(([row, score]) => ({ row: Number(row), score }))
    .sort((a, b) => b.score - a.score || a.row - b.row);
  return { name, weight, candidates };
}

/** Scores are whole numbers and scales powers of two, so that scaling and shifting lose no bits. */
const anyList = fc
  .uniqueArray(fc.record({ row: fc.nat(15), score: fc.integer({ min: -50, max: 50 }) }), {
    selector: (candidate) => candidate.row,
    maxLength: 12,
  })
  .map((candidates) => candidates.sort((a, b) => b.score - a.score || a.row - b.row));

const anyLists = fc
  .array(fc.record({ weight: fc.integer({ min: 0, max: 4 }), candidates: anyList }), { maxLength: 4 })
  .map((lists) => lists.map((one, i): RankedList => ({ name: `list-${i}`, ...one })));

test("zscore sums weighted standard scores and gives an absent row the list's lowest", () => {
  // a: mean 2, sd sqrt(2/3), z = +-1.2247 and 0; b: z = 1 and -1.
  const z = Math.sqrt(1.5);
  const fused = fuse([list("a", { 1: 3, 2: 2, 3: 1 }), list("b", { 2: 10, 4: 0 }, 2)]);
  expect(fused.map(({ row }) => row)).toEqual([2, 1, 3, 4]);
  const expected = [0 + 2, z - 2, -z - 2, -z - 2];
  fused.forEach(({ score }, i) => expect(score).toBeCloseTo(expected[i] as number, 12));
  expect(fused[0]?.sources).toEqual({ a: { rank: 2, score: 2 }, b: { rank: 1, score: 10 } });
  expect(fused[1]?.sources).toEqual({ a: { rank: 1, score: 3 } });
});

test("rrf sums weight / (k + rank) over the lists that found the row", () => {
  const lists = [list("a", { 1: 3, 2: 2 }), list("b", { 2: 10, 4: 0 }, 2)];
  const scores = (options: Parameters<typeof fuse>[1]) => fuse(lists, options).map(({ row, score }) => [row, score]);
  expect(scores({ method: "rrf" })).toEqual([
    [2, 1 / 62 + 2 / 61],
    [4, 2 / 62],
    [1, 1 / 61],
  ]);
  expect(scores({ method: "rrf", rrfK: 1 })[0]).toEqual([2, 1 / 3 + 2 / 2]);
});

test("minmax, dbsf and combmnz give an absent row 0", () => {
  const lists = [list("a", { 1: 4, 2: 3, 3: 2 }), list("b", { 2: 10, 4: 0 }, 2)];
  const scores = (method: "minmax" | "dbsf" | "combmnz") =>
    Object.fromEntries(fuse(lists, { method }).map(({ row, score }) => [row, score]));
  expect(scores("minmax")).toEqual({ 1: 1, 2: 0.5 + 2, 3: 0, 4: 0 });
  expect(scores("combmnz")).toEqual({ 1: 1, 2: 2 * (0.5 + 2), 3: 0, 4: 0 });
  // a: z is +-1.2247 and 0, b: +-1; a share is (z + 3) / 6.
  const z = Math.sqrt(1.5);
  const dbsf = scores("dbsf");
  const expected = { 1: (z + 3) / 6, 2: 0.5 + (2 * 4) / 6, 3: (3 - z) / 6, 4: (2 * 2) / 6 };
  for (const [row, score] of Object.entries(expected)) expect(dbsf[row]).toBeCloseTo(score, 12);
});

test("combmnz counts no list of weight 0", () => {
  const lists = [list("a", { 1: 2, 2: 1 }), list("b", { 1: 2, 2: 1 }, 0)];
  expect(fuse(lists, { method: "combmnz" }).map(({ row, score }) => [row, score])).toEqual([
    [1, 1],
    [2, 0],
  ]);
});

test.each(fusionMethods)("%s: a list of weight 0 moves no score", (method) => {
  fc.assert(
    fc.property(anyLists, anyList, (lists, candidates) => {
      const silent = { name: "silent", weight: 0, candidates };
      const known = new Set(lists.flatMap((one) => one.candidates.map(({ row }) => row)));
      const scores = (fused: FusedCandidate[]) =>
        fused.filter(({ row }) => known.has(row)).map(({ row, score }) => [row, score]);
      expect(scores(fuse([...lists, silent], { method }))).toEqual(scores(fuse(lists, { method })));
    }),
  );
});

test.each(fusionMethods)("%s: doubling every weight doubles every score", (method) => {
  fc.assert(
    fc.property(anyLists, (lists) => {
      const twice = fuse(
        lists.map((one) => ({ ...one, weight: 2 * one.weight })),
        { method },
      );
      expect(twice.map(({ row, score }) => [row, score])).toEqual(
        fuse(lists, { method }).map(({ row, score }) => [row, 2 * score]),
      );
    }),
  );
});

test.each(fusionMethods)("%s: what no list has lower and one has higher is never below", (method) => {
  fc.assert(
    fc.property(anyLists, fc.nat(15), fc.nat(15), (lists, a, b) => {
      const rank = (one: RankedList, row: number) => {
        const at = one.candidates.findIndex((candidate) => candidate.row === row);
        return at < 0 ? Infinity : at;
      };
      fc.pre(lists.every((one) => rank(one, a) <= rank(one, b)));
      const scoreOf = new Map(fuse(lists, { method }).map(({ row, score }) => [row, score]));
      const [above, below] = [scoreOf.get(a), scoreOf.get(b)];
      if (above !== undefined && below !== undefined) expect(above).toBeGreaterThanOrEqual(below - 1e-12);
    }),
  );
});

test("the default is zscore, and the record names what was in force", () => {
  const lists = [list("a", { 1: 3, 2: 2, 3: 1 }), list("b", { 2: 10, 4: 0 })];
  expect(fuse(lists)).toEqual(fuse(lists, { method: "zscore" }));
  expect(fusionRecord()).toEqual({ method: "zscore", missing: "list-minimum" });
  expect(fusionRecord({ method: "rrf" })).toEqual({ method: "rrf", k: 60, rank_base: 1, missing: "zero" });
  expect(fusionRecord({ method: "dbsf" })).toEqual({ method: "dbsf", missing: "zero" });
});

test.each(fusionMethods)("%s: the order of the lists does not matter, to the bit", (method) => {
  fc.assert(
    fc.property(
      anyLists.chain((lists) => fc.tuple(fc.constant(lists), fc.shuffledSubarray(lists, { minLength: lists.length }))),
      ([lists, shuffled]) => {
        const summary = (fused: FusedCandidate[]) => fused.map(({ row, score }) => [row, score]);
        expect(summary(fuse(shuffled, { method }))).toEqual(summary(fuse(lists, { method })));
      },
    ),
  );
});

test.each(fusionMethods)("%s: every row of every list comes once, sorted, with its ranks", (method) => {
  fc.assert(
    fc.property(anyLists, (lists) => {
      const fused = fuse(lists, { method });
      const rows = new Set(lists.flatMap(({ candidates }) => candidates.map(({ row }) => row)));
      expect(new Set(fused.map(({ row }) => row))).toEqual(rows);
      expect(fused.length).toBe(rows.size);
      expect(fused).toEqual([...fused].sort((a, b) => b.score - a.score || a.row - b.row));
      for (const { row, sources } of fused) {
        for (const { name, candidates } of lists) {
          const at = candidates.findIndex((candidate) => candidate.row === row);
          expect(sources[name]).toEqual(at < 0 ? undefined : { rank: at + 1, score: candidates[at]?.score });
        }
      }
    }),
  );
});

test.each(["zscore", "minmax", "dbsf", "combmnz"] as const)(
  "%s: scale and shift of a list's scores change nothing",
  (method) => {
    fc.assert(
      fc.property(
        anyLists,
        fc.nat(3),
        fc.integer({ min: -8, max: 8 }),
        fc.integer({ min: -100, max: 100 }),
        (lists, at, power, shift) => {
          const moved = lists.map((one, i) =>
            i !== at
              ? one
              : {
                  ...one,
                  candidates: one.candidates.map(({ row, score }) => ({ row, score: (score + shift) * 2 ** power })),
                },
          );
          const before = new Map(fuse(lists, { method }).map(({ row, score }) => [row, score]));
          for (const { row, score } of fuse(moved, { method })) expect(score).toBeCloseTo(before.get(row) as number, 9);
        },
      ),
    );
  },
);

test.each([
  ["empty", {}],
  ["of one candidate", { 9: 123 }],
  ["of equal scores", { 9: 0.1, 8: 0.1, 7: 0.1 }],
  ["of scores that differ by rounding alone", { 9: 0.1 + 0.2, 8: 0.3 }],
])("zscore: a list %s adds nothing to any score", (_, scores) => {
  const other = list("other", { 1: 3, 2: 1 });
  const fused = fuse([other, list("silent", scores)]);
  expect(fused.filter(({ row }) => row < 3).map(({ score }) => score)).toEqual([1, -1]);
});

test.each<[string, RankedList[], string]>([
  ["two lists of one name", [list("a", { 1: 1 }), list("a", { 1: 1 })], 'named "a"'],
  ["a negative weight", [list("a", { 1: 1 }, -1)], "weight"],
  ["NaN as a score", [{ name: "a", weight: 1, candidates: [{ row: 5, score: Number.NaN }] }], "row 5"],
  [
    "an unsorted list",
    [
      {
        name: "a",
        weight: 1,
        candidates: [
          { row: 1, score: 1 },
          { row: 2, score: 2 },
        ],
      },
    ],
    "not sorted",
  ],
  [
    "a repeated row",
    [
      {
        name: "a",
        weight: 1,
        candidates: [
          { row: 1, score: 1 },
          { row: 1, score: 1 },
        ],
      },
    ],
    "twice",
  ],
])("fuse refuses %s", (_, lists, message) => {
  expect(() => fuse(lists)).toThrow(message);
});

test.each([
  ["bm25", [1]],
  ["dense", [2]],
  ["dense", [1.5, 0.5]],
  ["dense", [1.2, 0.4, 0.4]],
  ["learned-sparse", [0.75, 0.25]],
] as const)("the lists of kind %s share its weight, the primary one first: %j", (kind, weights) => {
  const lists = weights.map((_, i) => ({ name: `m${i}`, kind }));
  expect([...listWeights(lists).values()]).toEqual(weights);
});

const ensemble = [
  { name: "a", kind: "dense" },
  { name: "b", kind: "dense" },
  { name: "s", kind: "learned-sparse" },
  { name: "l", kind: "bm25" },
] as const;

test.each([
  [[], { a: 1.5, b: 0.5, s: 1, l: 1 }],
  [["dense=4", "bm25=0"], { a: 3, b: 1, s: 1, l: 0 }],
  [["b=2", "sparse=0.5"], { a: 1.5, b: 2, s: 0.5, l: 1 }],
])("weights %j are asked for", (entries, expected) => {
  expect(Object.fromEntries(listWeights(ensemble, parseFusionWeights(entries)))).toEqual(expected);
});

test("weights of lists that are not there are passed over", () => {
  const weights = listWeights(ensemble.slice(0, 1), parseFusionWeights(["s=3", "a=2"]));
  expect(Object.fromEntries(weights)).toEqual({ a: 2 });
});

test.each([
  [["dense"], '"dense" is no weight'],
  [["=1"], '"=1" is no weight'],
  [["dense="], "is no weight"],
  [["dense=-1"], "is no weight"],
  [["dense=NaN"], "is no weight"],
  [["dense=1", "dense=2"], "given twice"],
  [["colour=1"], 'there is no list "colour" to weigh; there are dense, sparse, bm25, a, b, s, l'],
  [["toString=1"], 'there is no list "toString"'],
  [["dense=0", "sparse=0", "bm25=0"], "every result list would weigh 0"],
])("weights %j are refused", (entries, message) => {
  expect(() => checkFusionWeights(ensemble, parseFusionWeights(entries))).toThrow(message);
});

const fused: FusedCandidate[] = [5, 3, 8, 1].map((row, i) => ({ row, score: 4 - i, sources: {} }));

test("rerank mixes standard scores over the reranked candidates; the others follow in fused order", () => {
  const reranked = mixRerank(
    fused,
    new Map([
      [3, -9],
      [1, 9],
    ]),
    0.25,
  );
  // Two candidates: fused z is 1 and -1, CrossEncoder z is -1 and 1.
  expect(reranked.map(({ row, mixedScore, rerankScore }) => [row, mixedScore, rerankScore])).toEqual([
    [3, 0.5, -9],
    [1, -0.5, 9],
    [5, undefined, undefined],
    [8, undefined, undefined],
  ]);
  expect(
    mixRerank(
      fused,
      new Map([
        [3, -9],
        [1, 9],
      ]),
      0.75,
    ).map(({ row }) => row),
  ).toEqual([1, 3, 5, 8]);
});

test("no rerank score at all, a mix of 0 and equal rerank scores keep the fused order", () => {
  const order = fused.map(({ row }) => row);
  const scores = new Map(order.map((row) => [row, row]));
  const equal = new Map(order.map((row) => [row, 7]));
  for (const kept of [mixRerank(fused, new Map(), 0.5), mixRerank(fused, scores, 0), mixRerank(fused, equal, 0.9)]) {
    expect(kept.map(({ row }) => row)).toEqual(order);
  }
});

test("a mix of 0 keeps the order of any fused list", () => {
  fc.assert(
    fc.property(anyLists, fc.array(fc.integer(), { minLength: 60, maxLength: 60 }), (lists, scores) => {
      const candidates = fuse(lists);
      const rerankScores = new Map(candidates.map(({ row }, i) => [row, scores[i] as number]));
      expect(mixRerank(candidates, rerankScores, 0).map(({ row }) => row)).toEqual(candidates.map(({ row }) => row));
    }),
  );
});

test.each([-1, 1.5, Number.NaN, Infinity])("rerank refuses the mix %s", (mix) => {
  expect(() => mixRerank(fused, new Map(), mix)).toThrow("mix");
});

test("rerank refuses a score that is not finite and names its row", () => {
  expect(() => mixRerank(fused, new Map([[8, Number.NaN]]), 0.5)).toThrow("row 8");
});
