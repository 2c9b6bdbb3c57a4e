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
  documents: ReadonlySet<string>,
  datasetName: string,
): Promise<DocumentRows> {
  const ids = candidates.map(() => [] as (string | undefined)[]);
  const hits = candidates.map(() => 0);
  let rows = 0;
  for await (const { metadata } of run.readChunks()) {
    rows++;
    candidates.forEach(({ key, idOf }, i) => {
      const value = metadata[key];
      const id = typeof value === "string" || typeof value === "number" ? idOf(String(value)) : undefined;
      const isKnown = id !== undefined && documents.has(id);
      if (isKnown) hits[i] = (hits[i] as number) + 1;
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
    missingDocuments: [...documents].filter((id) => !found.has(id)).length,
    strangeRows: rows - most,
  };
}
