import { existsSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { basename, join } from "node:path";
import { type Dataset, type DatasetDocument, type DatasetQuery, withDistinctIds } from "./dataset.js";
import { DatasetError, WarningCounter } from "./dataset-error.js";
import { judgedQueries } from "./judged-queries.js";
import { textLines } from "./text-lines.js";
import { readBeirQrels } from "./trec-qrels.js";

/** Splits by preference, where none was named. */
const preferredSplits = ["test", "dev", "train"];

/** Whether a directory is laid out as BEIR has it. */
export function isBeir(dir: string): boolean {
  return existsSync(join(dir, "corpus.jsonl"));
}

/**
 * Opens a BEIR data set: `corpus.jsonl` with `_id`, `title`, `text`, `queries.jsonl` with `_id`, `text`, and
 * `qrels/<split>.tsv`. Source: https://github.com/beir-cellar/beir/wiki/Load-your-custom-dataset
 * @param split name of the judgements; by default test, else dev, else train, else the first.
 * @throws DatasetError when a file is malformed or there is no such split. ArtifactError when one is missing.
 */
export async function openBeir(dir: string, split?: string): Promise<Dataset> {
  const qrelsDir = join(dir, "qrels");
  const splits = (await readdir(qrelsDir).catch(() => []))
    .filter((name) => name.endsWith(".tsv"))
    .map((name) => basename(name, ".tsv"))
    .sort();
  const chosen = split ?? preferredSplits.find((name) => splits.includes(name)) ?? splits[0];
  if (chosen === undefined || !splits.includes(chosen)) {
    const found = splits.length === 0 ? "it holds no .tsv file" : `there are ${splits.join(", ")}`;
    throw new DatasetError(qrelsDir, undefined, `has no judgements of the split "${chosen ?? "test"}": ${found}.`);
  }
  const read = await readBeirQrels(join(qrelsDir, `${chosen}.tsv`));
  const counter = new WarningCounter();
  const corpus = join(dir, "corpus.jsonl");
  const queries = await beirQueries(join(dir, "queries.jsonl"));
  return {
    name: basename(dir),
    format: "beir",
    split: chosen,
    documentFiles: [corpus],
    ...judgedQueries(queries, read.judgements, counter),
    warnings: [...read.warnings, ...counter.warnings],
    documents: () =>
      withDistinctIds(beirDocuments(corpus), (id) => new DatasetError(corpus, undefined, `"_id" ${id} occurs twice.`)),
  };
}

async function* beirDocuments(path: string): AsyncGenerator<DatasetDocument, void, undefined> {
  for await (const { id, fields, line } of jsonRecords(path)) {
    const { title = "", text } = fields;
    if (typeof text !== "string" || (typeof title !== "string" && title !== null))
      throw new DatasetError(path, line, 'needs "text", a string, and may have "title", a string.');
    yield { id, title: title ?? "", text };
  }
}

async function beirQueries(path: string): Promise<DatasetQuery[]> {
  const queries = new Map<string, DatasetQuery>();
  for await (const { id, fields, line } of jsonRecords(path)) {
    if (queries.has(id)) throw new DatasetError(path, line, `"_id" ${id} is already taken; ids must differ.`);
    // A missing text is counted later, and only where the query is judged.
    queries.set(id, { id, text: typeof fields["text"] === "string" ? fields["text"] : "" });
  }
  return [...queries.values()];
}

async function* jsonRecords(
  path: string,
): AsyncGenerator<{ id: string; fields: Record<string, unknown>; line: number }, void, undefined> {
  for await (const { number, text } of textLines(path)) {
    if (text.trim() === "") continue;
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch (cause) {
      throw new DatasetError(path, number, "is not valid JSON.", { cause });
    }
    const fields = (typeof value === "object" && value !== null ? value : {}) as Record<string, unknown>;
    const id = fields["_id"];
    if ((typeof id !== "string" && typeof id !== "number") || String(id) === "")
      throw new DatasetError(path, number, 'needs "_id", a string that is not empty.');
    yield { id: String(id), fields, line: number };
  }
}
