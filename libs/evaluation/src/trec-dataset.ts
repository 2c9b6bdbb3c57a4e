import { readdir } from "node:fs/promises";
import { basename, join } from "node:path";
import { type Dataset, type DatasetDocument, type DatasetQuery, withDistinctIds } from "./dataset.js";
import { DatasetError, WarningCounter } from "./dataset-error.js";
import { judgedQueries } from "./judged-queries.js";
import { textLines } from "./text-lines.js";
import { readTrecQrels } from "./trec-qrels.js";

/** The files of a TREC collection in a directory. */
export interface TrecFiles {
  readonly documents: readonly string[];
  readonly topics: string;
  readonly qrels: string;
}

/** The files of a TREC collection in a directory, where it is one. */
export async function findTrec(dir: string): Promise<TrecFiles | undefined> {
  const names = (await readdir(dir))
    .filter((name) => !name.startsWith(".") && !/readme|licen[cs]e/iu.test(name))
    .sort();
  const qrels = names.find((name) => /qrels?/iu.test(name));
  const topics = names.find((name) => /topics?|quer(?:y|ies)/iu.test(name));
  const documents = names.filter(
    (name) => name !== qrels && name !== topics && /\.(?:tsv|trec|sgml?|xml|txt)$/iu.test(name),
  );
  if (qrels === undefined || topics === undefined || documents.length === 0) return undefined;
  const at = (name: string) => join(dir, name);
  return { documents: documents.map(at), topics: at(topics), qrels: at(qrels) };
}

/**
 * Opens a TREC collection: a file with "qrels" in its name; one with "topics" or "queries" in its name, of
 * `<top><num><title>` records or `id<TAB>text` lines; and the documents in all other .tsv (`id<TAB>text` or
 * `id<TAB>title<TAB>text`), .trec, .sgml, .xml and .txt files, the latter of `<DOC><DOCNO>` records.
 * @throws DatasetError when a file is malformed. ArtifactError when one cannot be read.
 */
export async function openTrec(dir: string, files: TrecFiles): Promise<Dataset> {
  const counter = new WarningCounter();
  const { judgements, warnings } = await readTrecQrels(files.qrels);
  const queries: DatasetQuery[] = [];
  for await (const query of topics(files.topics)) queries.push(query);
  return {
    name: basename(dir),
    format: "trec",
    split: "",
    documentFiles: files.documents,
    ...judgedQueries(queries, judgements, counter),
    warnings: [...warnings, ...counter.warnings],
    documents: () =>
      withDistinctIds(
        trecDocuments(files.documents),
        (id) => new DatasetError(dir, undefined, `document ${id} occurs twice.`),
      ),
  };
}

async function* topics(path: string): AsyncGenerator<DatasetQuery, void, undefined> {
  if (!(await beginsWith(path, "<"))) {
    for await (const [id = "", ...text] of tabbed(path)) yield { id, text: text.join(" ") };
    return;
  }
  for await (const { text, line } of elements(path, "top")) {
    const id = /<num>\s*(?:Number:)?\s*([^\s<]+)/iu.exec(text)?.[1];
    if (id === undefined) throw new DatasetError(path, line, "this topic has no <num>.");
    yield { id, text: plainText(/<title>\s*(?:Topic:)?([^<]*)/iu.exec(text)?.[1] ?? "") };
  }
}

async function* trecDocuments(paths: readonly string[]): AsyncGenerator<DatasetDocument, void, undefined> {
  for (const path of paths) {
    if (!(await beginsWith(path, "<"))) {
      for await (const [id = "", ...parts] of tabbed(path))
        yield { id, title: parts.length > 1 ? (parts[0] ?? "") : "", text: parts.at(-1) ?? "" };
      continue;
    }
    for await (const { text, line } of elements(path, "doc")) {
      const id = /<docno>\s*([^\s<]+)\s*<\/docno>/iu.exec(text)?.[1];
      if (id === undefined) throw new DatasetError(path, line, "this document has no <DOCNO>.");
      const titles = [...text.matchAll(/<(title|headline|hl)>([\s\S]*?)<\/\1>/giu)].map((match) => match[2] ?? "");
      const texts = [...text.matchAll(/<text>([\s\S]*?)<\/text>/giu)].map((match) => match[1] ?? "");
      yield { id, title: plainText(titles.join(" ")), text: plainText(texts.join(" ")) };
    }
  }
}

async function beginsWith(path: string, start: string): Promise<boolean> {
  for await (const { text } of textLines(path)) if (text.trim() !== "") return text.trim().startsWith(start);
  return false;
}

async function* tabbed(path: string): AsyncGenerator<string[], void, undefined> {
  for await (const { number, text } of textLines(path)) {
    if (text.trim() === "") continue;
    const fields = text.split("\t");
    if (fields.length < 2 || (fields[0] ?? "").trim() === "")
      throw new DatasetError(path, number, "needs an id, a tab and a text.");
    yield fields.map((field) => field.trim());
  }
}

/** The elements of one name at the outermost level, which are not nested in TREC's files. */
async function* elements(path: string, name: string): AsyncGenerator<{ text: string; line: number }, void, undefined> {
  const [start, end] = [`<${name}>`, `</${name}>`];
  let inside: { lines: string[]; line: number } | undefined;
  for await (const { number, text } of textLines(path)) {
    const lower = text.toLowerCase();
    if (inside === undefined && lower.includes(start)) inside = { lines: [], line: number };
    inside?.lines.push(text);
    if (inside === undefined || !lower.includes(end)) continue;
    yield { text: inside.lines.join("\n"), line: inside.line };
    inside = undefined;
  }
  if (inside !== undefined) throw new DatasetError(path, inside.line, `${start} is never closed.`);
}

const plainText = (text: string): string =>
  text
    .replace(/<[^>]*>/gu, " ")
    .replace(/\s+/gu, " ")
    .trim();
