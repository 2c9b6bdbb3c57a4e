import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { generateCases, type Scores } from "./generated-cases.fixture.js";
import { measureRun, parseMetric, rankDocuments } from "./index.js";

const toMaps = (scores: Scores) =>
  new Map(Object.entries(scores).map(([query, documents]) => [query, new Map(Object.entries(documents))]));

/** Made by tools/oracles/metrics_oracle.py --fixture: values of trec_eval, by way of pytrec_eval, in millionths. */
const trecEval = JSON.parse(readFileSync(new URL("fixtures/trec-eval.json", import.meta.url), "utf8")) as {
  readonly metrics: readonly string[];
  readonly seed: number;
  /** Of the first cases: query -> values of the metrics. */
  readonly perQuery: readonly Readonly<Record<string, readonly number[]>>[];
  /** Of each case: means over the judged queries. */
  readonly means: readonly (readonly number[])[];
};

test("means equal trec_eval's in every metric of 1,200 runs, and values of queries in the first of them", () => {
  const { metrics, seed, perQuery, means } = trecEval;
  expect([metrics.length, means.length]).toEqual([28, 1200]);
  const differing: string[] = [];
  generateCases(means.length, seed).forEach(({ qrels, run }, at) => {
    const measured = measureRun(toMaps(qrels), toMaps(run), { metrics });
    metrics.forEach((name, m) => {
      const compare = (what: string, ours = Number.NaN, millionths = 0) => {
        if (!(Math.abs(ours - millionths / 1e6) < 1e-6)) differing.push(`case ${at}, ${what} ${name}: ${ours}`);
      };
      compare("mean", measured.mean[name], means[at]?.[m]);
      const values = perQuery[at];
      if (values === undefined) return;
      measured.queries.forEach((query, q) => compare(query, measured.perQuery[name]?.[q], values[query]?.[m]));
    });
  });
  expect(differing).toEqual([]);
});

describe("the order of documents", () => {
  test("score descending, ties by id descending as bytes, whatever the order of entry", () => {
    const scores = [
      ["a", 1],
      ["b", 2],
      ["c", 1],
      ["é", 1],
      ["𝒳", 1],
      ["\uffee", 1],
    ] as const;
    fc.assert(
      fc.property(fc.shuffledSubarray([...scores], { minLength: scores.length }), (shuffled) => {
        expect(rankDocuments(new Map(shuffled))).toEqual(["b", "𝒳", "\uffee", "é", "c", "a"]);
      }),
    );
  });

  test("scores that are equal as float32 are tied", () => {
    expect(
      rankDocuments(
        new Map([
          ["a", 1 + 1e-12],
          ["b", 1],
        ]),
      ),
    ).toEqual(["b", "a"]);
    expect(
      rankDocuments(
        new Map([
          ["a", 1 + 1e-6],
          ["b", 1],
        ]),
      ),
    ).toEqual(["a", "b"]);
  });

  test.each([Number.NaN, Infinity, -Infinity])("a score of %d is refused", (score) => {
    expect(() => rankDocuments(new Map([["a", score]]))).toThrow('document "a" has the score');
  });
});

describe("queries that are not in both", () => {
  const judgements = toMaps({ q1: { a: 1 }, q2: { a: 1 }, none: { a: -1 } });
  const run = toMaps({ q1: { a: 1 }, other: { a: 1 }, none: { a: 1 } });

  test("a missing one counts zero, or nothing when it is skipped", () => {
    const zero = measureRun(judgements, run, { metrics: ["MAP"] });
    expect(zero).toMatchObject({ queries: ["none", "q1", "q2"], mean: { MAP: 1 / 3 }, missingQueries: 1 });
    expect(zero).toMatchObject({ unjudgedQueries: 1, queriesWithoutRelevant: 1 });
    const skip = measureRun(judgements, run, { metrics: ["MAP"], missing: "skip" });
    expect(skip).toMatchObject({ queries: ["none", "q1"], mean: { MAP: 0.5 } });
  });

  test("without any query every mean is 0", () => {
    expect(measureRun(new Map(), new Map(), { metrics: ["nDCG@10"] }).mean).toEqual({ "nDCG@10": 0 });
  });
});

test("judged@k is the share of judged documents among those found", () => {
  const judgements = toMaps({ q: { a: 0, b: -1 } });
  const run = toMaps({ q: { a: 4, x: 3, b: 2, y: 1 } });
  const metrics = ["judged@1", "judged@2", "judged@10"];
  expect(measureRun(judgements, run, { metrics }).mean).toEqual({ "judged@1": 1, "judged@2": 0.5, "judged@10": 0.5 });
});

test("the relevance level moves the binary metrics, not nDCG", () => {
  const judgements = toMaps({ q: { a: 1, b: 2 } });
  const run = toMaps({ q: { a: 2, b: 1 } });
  const metrics = ["MRR", "P@2", "nDCG@2"];
  const one = measureRun(judgements, run, { metrics }).mean;
  const two = measureRun(judgements, run, { metrics, relevanceLevel: 2 }).mean;
  expect(two).toEqual({ MRR: 0.5, "P@2": 0.5, "nDCG@2": one["nDCG@2"] });
  expect(one).toMatchObject({ MRR: 1, "P@2": 1 });
});

test.each([
  ["ndcg@10", { name: "nDCG@10", kind: "nDCG", cutoff: 10 }],
  ["map", { name: "MAP", kind: "MAP", cutoff: Infinity }],
  [" recall@100 ", { name: "Recall@100", kind: "Recall", cutoff: 100 }],
])("%j is a metric", (text, expected) => {
  expect(parseMetric(text)).toEqual(expected);
});

test.each(["", "nDCG@0", "P", "Recall", "recip_rank", "nDCG@", "nDCG@-1", "nDCG@1.5"])("%j is no metric", (text) => {
  expect(() => parseMetric(text)).toThrow("is no metric");
});

test("every metric is between 0 and 1, and 1 for the ideal ranking", () => {
  const grades = fc.dictionary(fc.string({ minLength: 1, maxLength: 3 }), fc.integer({ min: -2, max: 4 }), {
    minKeys: 1,
  });
  const metrics = ["nDCG@10", "nDCG", "MRR@10", "Recall@10", "MAP", "P@10", "hit@10", "judged@10"];
  fc.assert(
    fc.property(grades, fc.dictionary(fc.string({ minLength: 1, maxLength: 3 }), fc.integer()), (judged, found) => {
      const judgements = new Map([["q", new Map(Object.entries(judged))]]);
      const measured = measureRun(judgements, new Map([["q", new Map(Object.entries(found))]]), { metrics });
      for (const value of Object.values(measured.mean)) {
        expect(value).toBeGreaterThanOrEqual(0);
        expect(value).toBeLessThanOrEqual(1);
      }
      const ideal = measureRun(judgements, judgements, { metrics: ["nDCG", "MRR", "MAP"] }).mean;
      const best = Object.values(judged).some((grade) => grade > 0) ? 1 : 0;
      for (const value of Object.values(ideal)) expect(value).toBeCloseTo(best, 12);
    }),
  );
});
