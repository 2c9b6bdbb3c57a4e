import { stat } from "node:fs/promises";
import { resolve } from "node:path";
import { isBeir, openBeir } from "./beir-dataset.js";
import type { Dataset } from "./dataset.js";
import { DatasetError } from "./dataset-error.js";
import { findSmart, openSmart } from "./smart-dataset.js";
import { findTrec, openTrec } from "./trec-dataset.js";

/** Which part of a data set. */
export interface OpenDatasetOptions {
  /** Set of judgements of a BEIR data set. @default test, else dev, else train */
  readonly split?: string;
}

/**
 * Opens a test collection, whatever its layout: BEIR (`openBeir`), SMART (`openSmart`) or TREC (`openTrec`). Documents are
 * not read yet.
 * @throws DatasetError when the directory is none of them, a file is malformed, or no query is left to be measured.
 */
export async function openDataset(path: string, options: OpenDatasetOptions = {}): Promise<Dataset> {
  const dir = resolve(path);
  const isDirectory = await stat(dir).then(
    (stats) => stats.isDirectory(),
    () => false,
  );
  if (!isDirectory) throw new DatasetError(dir, undefined, "is no directory; give the directory of a data set.");
  const dataset = await openAny(dir, options.split);
  if (dataset.queries.length > 0) return dataset;
  const why = dataset.warnings.map(({ detail }) => detail).join("; ");
  throw new DatasetError(dir, undefined, `no query has both a text and a judgement${why === "" ? "" : `: ${why}`}.`);
}

async function openAny(dir: string, split: string | undefined): Promise<Dataset> {
  if (isBeir(dir)) return openBeir(dir, split);
  if (split !== undefined)
    throw new DatasetError(dir, undefined, `has no splits, so there is no "${split}"; only BEIR data sets have.`);
  const smart = await findSmart(dir);
  if (smart !== undefined) return openSmart(dir, smart);
  const trec = await findTrec(dir);
  if (trec !== undefined) return openTrec(dir, trec);
  throw new DatasetError(
    dir,
    undefined,
    "is no data set of a known layout. BEIR: corpus.jsonl, queries.jsonl, qrels/<split>.tsv. SMART: files of .I records for documents and queries (*qry*), judgements (*rel*). TREC: *qrels*, *topics* or *queries*, documents as .tsv, .trec, .sgml, .xml or .txt.",
  );
}
