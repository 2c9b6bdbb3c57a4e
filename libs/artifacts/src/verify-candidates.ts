import { z } from "zod";
import type { HashedReader } from "./hashed-reader.js";
import { type IdTable, isUuid } from "./id-table.js";
import { ScanError } from "./json-scanner.js";
import { VerifiedLines } from "./verify-lines.js";
import type { VerifyProblems } from "./verify-problems.js";

const score = z.number().nullish();
const rank = z.int().positive();

/** Schema of a line of `_rerank.jsonl` or `_fused.jsonl`: a query's candidates, best first. */
const candidatesLine = z.looseObject({
  query_id: z.string(),
  candidates: z.array(
    z.looseObject({
      id: z.string(),
      row: z.int().nonnegative(),
      rank,
      fused_score: z.number(),
      rerank_score: score,
      mixed_score: score,
      sources: z.record(z.string(), z.looseObject({ rank, score: z.number() })).optional(),
    }),
  ),
});

type Candidate = z.infer<typeof candidatesLine>["candidates"][number];

/** Checks `_rerank.jsonl` or `_fused.jsonl`: every candidate is a chunk of the run, listed once, in the order of its score. Returns the queries. */
export async function verifyCandidates(
  file: string,
  reader: HashedReader,
  ids: IdTable,
  problems: VerifyProblems,
): Promise<number> {
  const lines = new VerifiedLines(file, reader, problems);
  const queries = new Set<string>();
  const readLine = (line: Buffer): void => {
    const { query_id: query, candidates } = parseLine(line);
    const row = lines.rows - 1;
    if (queries.has(query)) problems.add(file, "id", `has the query ${query} twice`, row);
    queries.add(query);
    const listed = new Set<string>();
    for (const candidate of candidates) {
      if (!isUuid(candidate.id) || ids.rowOf(candidate.id) !== candidate.row)
        problems.add(
          file,
          "id",
          `names row ${candidate.row} with the id ${candidate.id}, which is not that chunk's`,
          row,
        );
      if (listed.has(candidate.id)) problems.add(file, "id", `lists ${candidate.id} twice`, row);
      listed.add(candidate.id);
    }
    if (candidates.some((candidate, i) => candidate.rank !== i + 1))
      problems.add(file, "value", "has ranks that do not count up from 1", row);
    if (!isSorted(candidates)) problems.add(file, "value", "is not sorted by its scores", row);
  };
  while ((await lines.next(readLine)) !== "end");
  return lines.rows;
}

/** By mixed score; by fused score where the model gave none. */
function isSorted(candidates: readonly Candidate[]): boolean {
  const scores = candidates.map(({ mixed_score: mixed, fused_score: fused }) => [mixed ?? undefined, fused] as const);
  const hasMixed = scores.some(([mixed]) => mixed !== undefined);
  return scores.every(([mixed, fused], i) => {
    const [mixedBefore, fusedBefore] = scores[i - 1] ?? [];
    if (!hasMixed) return fusedBefore === undefined || fused <= fusedBefore;
    return mixed === undefined || mixedBefore === undefined || mixed <= mixedBefore;
  });
}

function parseLine(line: Buffer): z.infer<typeof candidatesLine> {
  let value: unknown;
  try {
    value = JSON.parse(line.toString());
  } catch {
    throw new ScanError("is not valid JSON");
  }
  const parsed = candidatesLine.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new ScanError(`is not a query with candidates (${issue?.path.join(".")}: ${issue?.message})`);
}
