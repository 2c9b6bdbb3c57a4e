import { expect, test } from "vitest";
import { type AnsweredQuery, auditReport } from "../index.js";

const query = (kind: "heading" | "sentence", row: number, document: string, contentType: string): AnsweredQuery => ({
  kind,
  text: `query ${row}`,
  row,
  document,
  contentType,
  section: [],
  // Row + 100 says the same, row + 200 stands in the same section.
  answers: new Set([row, row + 100, row + 200]),
  duplicates: new Set([row, row + 100]),
});

const queries = [
  query("heading", 0, "a.md", "prose"),
  query("heading", 1, "b.md", "code"),
  query("sentence", 2, "b.md", "prose"),
];

test("every answer is as right, and the parts add up to the whole", () => {
  const lists = [[100, 0], [5, 201], []];
  const audit = auditReport(queries, [
    { ranking: "bge", lists: [[0], [1], [2]] },
    { ranking: "fused", lists },
  ]);
  expect(audit.ranks).toEqual({ bge: [1, 1, 1], fused: [1, 2, null] });
  expect(audit.rankings[1]).toMatchObject({
    ranking: "fused",
    queries: 3,
    hitAt1: 1 / 3,
    hitAt10: 2 / 3,
    mrrAt10: 0.5,
  });
  const of = (by: string) =>
    audit.strata
      .filter((stratum) => stratum.by === by)
      .map(({ value, queries: count, rankings }) => [value, count, rankings.at(-1)?.mrrAt10]);
  expect(of("kind")).toEqual([
    ["heading", 2, 0.75],
    ["sentence", 1, 0],
  ]);
  expect(of("content_type")).toEqual([
    ["code", 1, 0.5],
    ["prose", 2, 0.5],
  ]);
  // The worst first, by the last ranking alone.
  expect(of("document")).toEqual([
    ["b.md", 2, 0.25],
    ["a.md", 1, 1],
  ]);
  expect(audit.strata.find(({ value }) => value === "b.md")?.rankings.map(({ ranking }) => ranking)).toEqual(["fused"]);
});

test("every figure has an interval that it lies in", () => {
  const many = Array.from({ length: 40 }, (_, i) => query("heading", i, "a.md", "prose"));
  const { rankings } = auditReport(many, [
    { ranking: "bge", lists: many.map(({ row }) => (row % 4 === 0 ? [999, row] : [row])) },
  ]);
  for (const { hitAt1, hitAt10, mrrAt10, intervals } of rankings) {
    for (const [value, [low, high] = [1, 0]] of [
      [hitAt1, intervals?.hitAt1],
      [hitAt10, intervals?.hitAt10],
      [mrrAt10, intervals?.mrrAt10],
    ] as const) {
      expect(low).toBeLessThanOrEqual(value);
      expect(high).toBeGreaterThanOrEqual(value);
      expect(high - low).toBeGreaterThan(0);
    }
  }
});

test("of many documents the worst are told, and how many are not", () => {
  const many = Array.from({ length: 130 }, (_, i) => query("heading", i, `${i}.md`, "prose"));
  const audit = auditReport(many, [{ ranking: "fused", lists: many.map(({ row }) => (row === 77 ? [] : [row])) }]);
  const documents = audit.strata.filter(({ by }) => by === "document");
  expect(documents).toHaveLength(100);
  expect(documents[0]?.value).toBe("77.md");
  expect(audit.documentsLeftOut).toBe(30);
});
