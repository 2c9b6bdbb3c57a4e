import { createWriteStream } from "node:fs";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { placeFile } from "@ragline/files";
import { DatasetError, type DatasetWarning, WarningCounter } from "./dataset-error.js";
import type { RunScores } from "./judgements.js";
import { rankDocuments } from "./rank-documents.js";
import { fieldsOf, textLines } from "./text-lines.js";

/** A run file that was read. */
export interface TrecRun {
  readonly scores: RunScores;
  /** The tag of its first line. */
  readonly tag: string;
  readonly warnings: readonly DatasetWarning[];
}

/**
 * Reads a TREC run file: lines of `query Q0 document rank score tag` in any order; the rank is not looked at. A document
 * that occurs twice for a query counts once, with its highest score, and is counted as a warning.
 * @throws DatasetError for a line with other fields, a score that is not a finite number, or a file without a line.
 * @throws ArtifactError when the file cannot be read.
 */
export async function readTrecRun(path: string): Promise<TrecRun> {
  const scores = new Map<string, Map<string, number>>();
  const counter = new WarningCounter();
  let tag: string | undefined;
  for await (const { number, text } of textLines(path)) {
    const fields = fieldsOf(text);
    if (fields.length === 0) continue;
    const [query, , document, , score, name] = fields;
    if (fields.length !== 6 || query === undefined || document === undefined || name === undefined) {
      throw new DatasetError(
        path,
        number,
        `has ${fields.length} fields; a line of a run has six: query Q0 document rank score tag.`,
      );
    }
    const value = Number(score);
    if (!Number.isFinite(value))
      throw new DatasetError(path, number, `the score "${score}" is not a finite number; no ranking follows from it.`);
    tag ??= name;
    let documents = scores.get(query);
    if (documents === undefined) scores.set(query, (documents = new Map()));
    const earlier = documents.get(document);
    if (earlier !== undefined) {
      const sentence = "N lines repeat a document of a query; the highest score counts";
      counter.add("duplicate-run-line", sentence, `line ${number}, query ${query}, document ${document}`);
    }
    documents.set(document, Math.max(earlier ?? -Infinity, value));
  }
  if (tag === undefined) throw new DatasetError(path, undefined, "holds no line of a run.");
  return { scores, tag, warnings: counter.warnings };
}

/**
 * Writes a TREC run file: queries in the order of the map, documents in the order of `rankDocuments`, ranks from 1. The
 * file appears when it is complete.
 * @param tag name of the system; white space in it becomes "-".
 * @throws RangeError for a query or document id with white space, or a score that is not finite.
 */
export async function writeTrecRun(path: string, scores: RunScores, tag: string): Promise<void> {
  await placeFile(path, (partialPath) =>
    pipeline(Readable.from(trecRunLines(scores, tag)), createWriteStream(partialPath)),
  );
}

function* trecRunLines(scores: RunScores, tag: string): Generator<string> {
  const name = tag.trim().replace(/\s+/gu, "-") || "ragline";
  for (const [query, documents] of scores) {
    const lines = rankDocuments(documents).map((id, i) => {
      if (/\s/u.test(query + id))
        throw new RangeError(`"${query}" and "${id}": a run file has no ids with white space`);
      return `${query} Q0 ${id} ${i + 1} ${documents.get(id)} ${name}\n`;
    });
    yield lines.join("");
  }
}
