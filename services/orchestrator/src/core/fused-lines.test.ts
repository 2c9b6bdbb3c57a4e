import { expect, test } from "vitest";
import { fusedLines } from "./fused-lines.js";

const chunks = {
  rows: async (rows: readonly number[]) =>
    rows.map((row) => ({ $typeName: "ragline.v1.ExportChunk" as const, id: `id-${row}`, text: "", metadataJson: "" })),
};
const queries = [
  { id: "q1", text: "secret words" },
  { id: "q2", text: "nothing" },
];
const sources = { bge: { rank: 2, score: 0.5 }, "qdrant-bm25": { rank: 1, score: 7 } };
const fused = [
  [
    { row: 4, score: 1.5, sources },
    { row: 0, score: -1, sources: { bge: { rank: 1, score: 0.6 } } },
  ],
  [],
];

async function linesOf(storeQueries: boolean): Promise<unknown[]> {
  const lines: unknown[] = [];
  for await (const line of fusedLines(queries, fused, chunks, { storeQueries })) lines.push(JSON.parse(line));
  return lines;
}

test("every fused candidate is told, with its rank and score in every list that found it", async () => {
  expect(await linesOf(true)).toEqual([
    {
      query_id: "q1",
      query: { sha256: expect.stringMatching(/^sha256:[0-9a-f]{12}$/), length: 12, text: "secret words" },
      candidates: [
        { id: "id-4", row: 4, rank: 1, fused_score: 1.5, sources },
        { id: "id-0", row: 0, rank: 2, fused_score: -1, sources: { bge: { rank: 1, score: 0.6 } } },
      ],
    },
    { query_id: "q2", query: expect.objectContaining({ text: "nothing" }), candidates: [] },
  ]);
});

test("the text of a query is not told unless asked for", async () => {
  expect(JSON.stringify(await linesOf(false))).not.toMatch(/secret|nothing/);
});
