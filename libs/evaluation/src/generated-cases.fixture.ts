import { xoroshiro128plus } from "pure-rand/generator/xoroshiro128plus";

/** Query -> document -> grade or score. */
export type Scores = Record<string, Record<string, number>>;

/** Judgements and a run of the same few queries. */
export interface GeneratedCase {
  readonly qrels: Scores;
  readonly run: Scores;
}

const grades = [-2, -1, 0, 0, 1, 1, 2, 3, 4];

/**
 * Cases in which a metric can go wrong: ties (also of scores that differ in float64 alone), queries that the run lacks or that
 * nobody judged, unjudged documents, negative grades, and ids outside of ASCII. The same seed gives the same cases.
 */
export function generateCases(count: number, seed: number): GeneratedCase[] {
  const generator = xoroshiro128plus(seed);
  const random = () => (generator.next() >>> 0) / 2 ** 32;
  const below = (end: number) => Math.floor(random() * end);
  const pick = <Value>(values: readonly Value[]) => values[below(values.length)] as Value;
  const sample = (values: readonly string[]) => {
    const left = [...values];
    return Array.from({ length: 1 + below(values.length) }, () => left.splice(below(left.length), 1)[0] as string);
  };
  return Array.from({ length: count }, () => {
    const documents = Array.from({ length: 1 + below(40) }, (_, i) => `${pick(["d", "D", "é", "𝒳", "z"])}${i}`);
    const qrels: Scores = {};
    const run: Scores = {};
    for (let q = 0, queries = 1 + below(6); q < queries; q++) {
      const [first = "", ...others] = sample(documents);
      // Not negative: trec_eval's ndcg never ends where every grade is.
      qrels[`q${q}`] = { [first]: below(5), ...Object.fromEntries(others.map((id) => [id, pick(grades)])) };
      if (random() < 0.2) continue;
      const found = sample(documents);
      const hasTies = random() < 0.5;
      const scores = found.map((): number => (hasTies ? below(5) : 10 * random() - 5));
      if (random() < 0.3) {
        const base = 1 + random();
        for (let i = 0; i < found.length / 2; i++) scores[i] = base + i * 1e-12;
      }
      run[`q${q}`] = Object.fromEntries(found.map((id, i) => [id, scores[i] as number]));
    }
    if (random() < 0.3) run["not-judged"] = { [documents[0] as string]: 1 };
    return { qrels, run };
  });
}
