import { readdir } from "node:fs/promises";
import { basename, join } from "node:path";
import { type Dataset, type DatasetDocument, withDistinctIds } from "./dataset.js";
import { DatasetError, WarningCounter } from "./dataset-error.js";
import { judgedQueries } from "./judged-queries.js";
import { fieldsOf, textLines } from "./text-lines.js";
import { collectJudgements, type Judgement, type ReadJudgements, readTrecQrels } from "./trec-qrels.js";

const isQueryFile = (name: string) => /qry|que(?:ry|ries)?/iu.test(name);
const isQrelsFile = (name: string) => /rel/iu.test(name) && !/readme/iu.test(name);

/** A record of a SMART file: the text of each of its one-letter fields. */
interface SmartRecord {
  readonly id: string;
  readonly fields: ReadonlyMap<string, string>;
}

/** The files of a SMART collection in a directory, where it is one. */
export async function findSmart(
  dir: string,
): Promise<{ documents: string; queries: string; qrels: string } | undefined> {
  const names = (await readdir(dir)).sort();
  const withRecords: string[] = [];
  for (const name of names.filter((one) => !isQrelsFile(one) && !/readme/iu.test(one))) {
    if (await beginsWithRecord(join(dir, name))) withRecords.push(name);
  }
  const queries = withRecords.find(isQueryFile);
  const documents = withRecords.find((name) => !isQueryFile(name));
  const qrels = names.find(isQrelsFile);
  if (queries === undefined || documents === undefined || qrels === undefined) return undefined;
  return { documents: join(dir, documents), queries: join(dir, queries), qrels: join(dir, qrels) };
}

async function beginsWithRecord(path: string): Promise<boolean> {
  try {
    for await (const { text } of textLines(path)) if (text.trim() !== "") return /^\.I\s+\S/u.test(text);
  } catch {
    // A directory, or a file that cannot be read: no part of the collection.
  }
  return false;
}

/**
 * Opens a SMART collection such as Cranfield, CACM, CISI or MED: records of `.I`, `.T`, `.A`, `.B`, `.W`. Queries are known
 * by their position in the query file, from 1, since that is what the judgements of Cranfield mean (its `.I` numbers skip).
 *
 * Judgements: `query document code` are Cranfield's, whose codes 1 (a complete answer) to 4 (of minimum interest) become
 * the grades 4 to 1, code 5 the grade 0; any other code is kept as a grade that is not relevant, and counted. Lines of four
 * fields are `query 0 document grade` as of TREC, or `query document 0 0` without grades.
 * @throws DatasetError when a file is malformed. ArtifactError when one cannot be read.
 */
export async function openSmart(
  dir: string,
  files: { documents: string; queries: string; qrels: string },
): Promise<Dataset> {
  const counter = new WarningCounter();
  const { judgements, warnings } = await readSmartQrels(files.qrels, counter);
  const queries: { id: string; text: string }[] = [];
  for await (const { fields } of smartRecords(files.queries))
    queries.push({ id: String(queries.length + 1), text: fields.get("W") ?? "" });
  return {
    name: basename(dir),
    format: "smart",
    split: "",
    documentFiles: [files.documents],
    ...judgedQueries(queries, judgements, counter),
    warnings: [...warnings, ...counter.warnings],
    documents: () =>
      withDistinctIds(
        smartDocuments(files.documents),
        (id) => new DatasetError(files.documents, undefined, `.I ${id} occurs twice.`),
      ),
  };
}

async function readSmartQrels(path: string, counter: WarningCounter): Promise<ReadJudgements> {
  let isTrec = true;
  for await (const { text } of textLines(path)) {
    const fields = fieldsOf(text);
    if (fields.length > 0 && (fields.length !== 4 || fields[1] !== "0")) isTrec = false;
  }
  if (isTrec) return readTrecQrels(path);
  return collectJudgements(path, (fields, line): Judgement => {
    const [query, document, code] = fields.map((field) => (/^-?\d+(?:\.0+)?$/u.test(field) ? Number(field) : NaN));
    if (query === undefined || document === undefined || !(query >= 0) || !(document >= 0) || fields.length > 4)
      throw new DatasetError(path, line, "is no judgement of numbers: query document code.");
    const names = { query: String(query), document: String(document) };
    if (fields.length !== 3) return { ...names, grade: 1 };
    if (code !== undefined && code >= 1 && code <= 5) return { ...names, grade: 5 - code };
    const sentence = "N judgements have a code that the collection does not define; they count as not relevant";
    counter.add("undefined-relevance-code", sentence, `line ${line}, code ${fields[2]}`);
    return { ...names, grade: Math.min(0, code ?? 0) };
  });
}

async function* smartDocuments(path: string): AsyncGenerator<DatasetDocument, void, undefined> {
  for await (const { id, fields } of smartRecords(path))
    yield { id, title: fields.get("T") ?? "", text: fields.get("W") ?? "" };
}

async function* smartRecords(path: string): AsyncGenerator<SmartRecord, void, undefined> {
  let id: string | undefined;
  let lines = new Map<string, string[]>();
  let field: string[] = [];
  const record = (): SmartRecord => ({
    id: id as string,
    fields: new Map(Array.from(lines, ([name, parts]) => [name, parts.join(" ").replace(/\s+/gu, " ").trim()])),
  });
  for await (const { number, text } of textLines(path)) {
    const start = /^\.I\s+(\S+)\s*$/u.exec(text);
    const next = /^\.([A-Z])\s*$/u.exec(text);
    if (start !== null) {
      if (id !== undefined) yield record();
      // "001" and 1 name the same record: judgements have numbers.
      id = (start[1] as string).replace(/^0+(?=\d)/u, "");
      lines = new Map();
      field = [];
    } else if (id === undefined) {
      if (text.trim() !== "") throw new DatasetError(path, number, 'stands before the first ".I <number>".');
    } else if (next !== null) {
      field = lines.get(next[1] as string) ?? [];
      lines.set(next[1] as string, field);
    } else field.push(text);
  }
  if (id !== undefined) yield record();
}
