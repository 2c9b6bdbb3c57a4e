import type { Run } from "@ragline/artifacts";
import { DatasetError } from "@ragline/evaluation";

/** Which document of a data set each row of a run is of. */
export interface DocumentRows {
  /** Document id by row; undefined for a row of no known document. */
  readonly documentOfRow: readonly (string | undefined)[];
  /** The metadata key that names the document. */
  readonly key: string;
  /** Documents of the data set that no row is of. */
  readonly missingDocuments: number;
  /** Rows of no document of the data set. */
  readonly strangeRows: number;
  /** Rows whose text was compared with that of their document, and how many have other words. */
  readonly compared: { readonly rows: number; readonly different: number };
}

/** The documents of a data set, as far as they are needed to know the rows of a run. */
export interface KnownDocuments {
  readonly ids: ReadonlySet<string>;
  /** Texts of some of them: a run of another collection may well have the same ids. */
  readonly texts: ReadonlyMap<string, string>;
}

/** Keys of chunk metadata that may hold a document's id, and the ways of taking it from there. */
const candidates: readonly { key: string; idOf: (value: string) => string }[] = [
  ...["document_id", "doc_id", "_id", "docid", "document_name", "chunk_id"].map((key) => ({
    key,
    idOf: (value: string) => value,
  })),
  // A document that was written to a file of its own is known by the file's name.
  ...["source_file", "relative_path", "filename"].map((key) => ({
    key,
    idOf: (value: string) => value.replace(/^.*[/\\]/u, "").replace(/\.[^.]*$/u, ""),
  })),
];

/**
 * Finds out which document each chunk of a run is of: by the metadata key whose values are most often ids of the data set.
 * @throws DatasetError when no key has any, so that the run is of another collection.
 */
export async function documentRows(
  run: Pick<Run, "readChunks" | "dir" | "collection">,
  { ids: known, texts }: KnownDocuments,
  datasetName: string,
): Promise<DocumentRows> {
  const ids = candidates.map(() => [] as (string | undefined)[]);
  const hits = candidates.map(() => 0);
  const different = candidates.map(() => 0);
  const compared = candidates.map(() => 0);
  let rows = 0;
  for await (const { metadata, text } of run.readChunks()) {
    rows++;
    candidates.forEach(({ key, idOf }, i) => {
      const value = metadata[key];
      const id = typeof value === "string" || typeof value === "number" ? idOf(String(value)) : undefined;
      const isKnown = id !== undefined && known.has(id);
      if (isKnown) hits[i] = (hits[i] as number) + 1;
      const document = id === undefined ? undefined : texts.get(id);
      if (document !== undefined) {
        compared[i] = (compared[i] as number) + 1;
        if (sharedWords(text, document) < 0.5) different[i] = (different[i] as number) + 1;
      }
      ids[i]?.push(isKnown ? id : undefined);
    });
  }
  const most = Math.max(...hits);
  const chosen = hits.indexOf(most);
  const documentOfRow = ids[chosen];
  if (most === 0 || documentOfRow === undefined) {
    throw new DatasetError(
      run.dir,
      undefined,
      `the run is of the collection "${run.collection}", and none of its ${rows} chunks names a document of ${datasetName} in its metadata (${candidates.map(({ key }) => key).join(", ")}); evaluate a run of that data set, or leave --run out.`,
    );
  }
  const found = new Set(documentOfRow);
  return {
    documentOfRow,
    key: candidates[chosen]?.key ?? "",
    missingDocuments: [...known].filter((id) => !found.has(id)).length,
    strangeRows: rows - most,
    compared: { rows: compared[chosen] ?? 0, different: different[chosen] ?? 0 },
  };
}

/** The share of a chunk's words that its document has; 1 for a chunk without words. */
function sharedWords(chunk: string, document: string): number {
  const wordsOf = (text: string) => new Set(text.toLowerCase().match(/[\p{L}\p{N}]+/gu));
  const [own, all] = [wordsOf(chunk), wordsOf(document)];
  return own.size === 0 ? 1 : [...own].filter((word) => all.has(word)).length / own.size;
}
