import type { DatasetWarning } from "./dataset-error.js";
import type { Judgements } from "./judgements.js";

/** A document of a data set. */
export interface DatasetDocument {
  readonly id: string;
  /** Empty where the format or the document has none. */
  readonly title: string;
  readonly text: string;
}

/** A query of a data set. */
export interface DatasetQuery {
  readonly id: string;
  readonly text: string;
}

/** A test collection. */
export interface Dataset {
  /** Name of its directory. */
  readonly name: string;
  readonly format: "beir" | "smart" | "trec";
  /** Which of several sets of judgements, such as "test"; empty where the format has one. */
  readonly split: string;
  /** Absolute paths of the files with documents, whose bytes are the corpus. */
  readonly documentFiles: readonly string[];
  /** Queries that have a judgement, in the file's order. */
  readonly queries: readonly DatasetQuery[];
  /** Judgements of these queries. */
  readonly judgements: Judgements;
  readonly warnings: readonly DatasetWarning[];
  /**
   * All documents in the file's order. Throws DatasetError for one that cannot be used or an id that occurs twice.
   */
  documents(): AsyncIterable<DatasetDocument>;
}

/**
 * What a model reads of a document: title, space, text, as the published figures of BEIR and MTEB have it. A title that the
 * text itself begins with, as in Cranfield, is not said twice.
 */
export function documentText({ title, text }: DatasetDocument): string {
  const plain = (part: string) => part.replace(/\s+/gu, " ").trim();
  if (title.trim() === "" || plain(text).startsWith(plain(title))) return text.trim();
  return `${title.trim()} ${text.trim()}`.trim();
}

/** Passes documents on, and throws where an id occurs twice; `fail` makes the error. */
export async function* withDistinctIds(
  documents: AsyncIterable<DatasetDocument>,
  fail: (id: string) => Error,
): AsyncGenerator<DatasetDocument, void, undefined> {
  const seen = new Set<string>();
  for await (const document of documents) {
    if (seen.has(document.id)) throw fail(document.id);
    seen.add(document.id);
    yield document;
  }
}
