import { DatasetError, type DatasetWarning, WarningCounter } from "./dataset-error.js";
import type { Judgements } from "./judgements.js";
import { fieldsOf, textLines } from "./text-lines.js";

/** Judgements that were read. */
export interface ReadJudgements {
  readonly judgements: Judgements;
  readonly warnings: readonly DatasetWarning[];
}

/** A line of a file of judgements, as its format says it. */
export interface Judgement {
  readonly query: string;
  readonly document: string;
  readonly grade: number;
}

/**
 * Collects the judgements of a file. A judgement that occurs again is counted as a warning.
 * @param parse what a line's fields say; undefined for a line to pass over, such as a header.
 * @throws DatasetError for a grade that is no whole number, two different grades for one document, or no judgement at all.
 */
export async function collectJudgements(
  path: string,
  parse: (fields: string[], line: number) => Judgement | undefined,
): Promise<ReadJudgements> {
  const judgements = new Map<string, Map<string, number>>();
  const counter = new WarningCounter();
  for await (const { number, text } of textLines(path)) {
    const fields = fieldsOf(text);
    const judgement = fields.length === 0 ? undefined : parse(fields, number);
    if (judgement === undefined) continue;
    const { query, document, grade } = judgement;
    if (!Number.isSafeInteger(grade)) throw new DatasetError(path, number, "the grade is not a whole number.");
    let grades = judgements.get(query);
    if (grades === undefined) judgements.set(query, (grades = new Map()));
    const earlier = grades.get(document);
    if (earlier !== undefined && earlier !== grade) {
      throw new DatasetError(
        path,
        number,
        `document ${document} of query ${query} has the grade ${grade}, but ${earlier} further up; keep one of the lines.`,
      );
    }
    if (earlier !== undefined)
      counter.add("duplicate-judgement", "N judgements repeat an earlier one", `line ${number}, query ${query}`);
    grades.set(document, grade);
  }
  if (judgements.size === 0) throw new DatasetError(path, undefined, "holds no judgement.");
  return { judgements, warnings: counter.warnings };
}

/**
 * Reads TREC judgements: lines of `query iteration document grade`; the iteration is not looked at.
 * @throws DatasetError as `collectJudgements`, and for a line with other fields. ArtifactError when it cannot be read.
 */
export function readTrecQrels(path: string): Promise<ReadJudgements> {
  return collectJudgements(path, (fields, line) => {
    const [query, , document, grade] = fields;
    if (fields.length !== 4 || query === undefined || document === undefined) {
      throw new DatasetError(
        path,
        line,
        `has ${fields.length} fields; a judgement has four: query iteration document grade.`,
      );
    }
    return { query, document, grade: Number(grade) };
  });
}

/**
 * Reads BEIR judgements: a header `query-id corpus-id score`, then lines of three fields.
 * @throws DatasetError as `collectJudgements`, and for a line with other fields. ArtifactError when it cannot be read.
 */
export function readBeirQrels(path: string): Promise<ReadJudgements> {
  return collectJudgements(path, (fields, line) => {
    const [query, document, grade] = fields;
    if (fields.length !== 3 || query === undefined || document === undefined)
      throw new DatasetError(path, line, `has ${fields.length} fields; a judgement has three: query document score.`);
    return line === 1 && !Number.isFinite(Number(grade)) ? undefined : { query, document, grade: Number(grade) };
  });
}
