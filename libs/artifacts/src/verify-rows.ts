import { IdTable } from "./id-table.js";
import type { Manifest } from "./manifest.js";
import { pointId } from "./point-id.js";
import type { RunStats } from "./run-stats.js";
import type { ChunkList } from "./verify-chunk-lists.js";
import type { DenseRows } from "./verify-dense.js";
import { FaissError, type FaissRows } from "./verify-faiss.js";
import type { PointRows } from "./verify-points.js";
import type { VerifyProblems } from "./verify-problems.js";
import type { SparseRows } from "./verify-sparse.js";

/** The files that have one row per chunk, opened; what is missing or unreadable is undefined. */
export interface RowFiles {
  readonly texts: ChunkList | undefined;
  readonly metadata: ChunkList | undefined;
  readonly dense: readonly DenseRows[];
  /** Over the first of `dense`. */
  readonly indexes: readonly { readonly file: string; readonly rows: FaissRows }[];
  readonly sparse: SparseRows | undefined;
  readonly points: PointRows | undefined;
}

/** What the rows added up to. */
export interface RowFigures {
  readonly ids: IdTable;
  /** Undefined where the texts could not be read. */
  readonly characters: RunStats["text_characters"] | undefined;
}

/** Goes over all files of a run row by row, in step, and checks that each chunk is in each file exactly once and the same. */
export async function verifyRows(
  files: RowFiles,
  { collection, chunk_count: chunkCount }: Manifest,
  problems: VerifyProblems,
): Promise<RowFigures> {
  const { texts, metadata, dense, indexes, sparse, points } = files;
  const ids = new IdTable();
  const occurrences = new Map<string, number>();
  const characters = new CharacterFigures();
  const indexRows = indexes.map((index) => new IndexRows(index, problems));
  for (let row = 0; ; row++) {
    const hasText = (await texts?.next()) ?? false;
    const hasMetadata = (await metadata?.next()) ?? false;
    const denseRows: DenseRows[] = [];
    for (const one of dense) if (await one.next()) denseRows.push(one);
    for (const index of indexRows) await index.next(denseRows[0] === dense[0] ? denseRows[0] : undefined);
    const hasSparse = (await sparse?.next()) ?? false;
    const text = hasText && texts ? stringOf(texts, problems) : undefined;
    if (text !== undefined) characters.add(text);
    const chunkMetadata = hasMetadata && metadata ? objectOf(metadata, problems) : undefined;
    const parts = { dense: denseRows, sparse: sparse?.row, text, metadata: chunkMetadata };
    const hasPoint = (await points?.next(parts)) ?? false;
    const hasVector = denseRows.length > 0 || indexRows.some((index) => index.hasRow);
    if (!hasText && !hasMetadata && !hasVector && !hasSparse && !hasPoint) break;
    const id = points?.id ?? sparse?.row?.id;
    if (id === undefined) ids.skip();
    else checkId(id, row, text);
    if (points?.id !== undefined && sparse?.row && sparse.row.id !== points.id)
      problems.add(sparse.lines.file, "id", `has another id than ${points.lines.file}`, row);
  }
  for (const index of indexRows) await index.end((row) => ids.first63BitsOf(row));
  const counted = [texts, metadata, sparse?.lines, points?.lines].filter((file) => file !== undefined);
  for (const { file, rows } of counted)
    if (rows !== chunkCount) problems.add(file, "count", `has ${rows} rows, but the run has ${chunkCount} chunks`);
  return { ids, characters: texts?.rows === chunkCount ? characters.figures : undefined };

  function checkId(id: string, row: number, text: string | undefined): void {
    const file = points?.id === undefined ? sparse?.lines.file : points.lines.file;
    const expected = text === undefined ? id : idOf(text);
    const earlier = ids.add(id);
    if (file === undefined) return;
    if (earlier !== undefined) problems.add(file, "id", `has the id of row ${earlier} again`, row);
    else if (id !== expected) problems.add(file, "id", "has an id that is not that of the chunk's text", row);
  }

  /** The nth chunk of the same text has the nth of that text's ids. Only repeated texts are counted, to save memory. */
  function idOf(text: string): string {
    const first = pointId(collection, text);
    if (ids.rowOf(first) === undefined) return first;
    const occurrence = (occurrences.get(first) ?? 1) + 1;
    occurrences.set(first, occurrence);
    return pointId(collection, text, occurrence);
  }
}

/** The rows of the FAISS index beside those of the matrix that it was made from. */
class IndexRows {
  hasRow = true;
  readonly #file: string;
  readonly #rows: FaissRows;
  readonly #problems: VerifyProblems;
  #row = 0;
  #failed = false;

  constructor({ file, rows }: { file: string; rows: FaissRows }, problems: VerifyProblems) {
    this.#file = file;
    this.#rows = rows;
    this.#problems = problems;
  }

  async next(matrix: DenseRows | undefined): Promise<void> {
    if (!this.hasRow) return;
    const row = await this.#step(() => this.#rows.next());
    this.hasRow = row !== undefined;
    if (row && matrix && !row.equals(matrix.bytes))
      this.#problems.add(this.#file, "mismatch", `holds another vector than ${matrix.file}`, this.#row);
    this.#row++;
  }

  async end(expectedId: (row: number) => bigint): Promise<void> {
    if (!this.#failed) await this.#step(() => this.#rows.end(expectedId));
  }

  async #step<Result>(work: () => Promise<Result>): Promise<Result | undefined> {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof FaissError)) throw error;
      this.#problems.add(this.#file, "format", error.message);
      this.#failed = true;
      return undefined;
    }
  }
}

/** Lengths of the texts in characters (code points), as the stats file has them. */
class CharacterFigures {
  #total = 0;
  #count = 0;
  #min = Number.POSITIVE_INFINITY;
  #max = 0;

  add(text: string): void {
    let length = 0;
    for (let at = 0; at < text.length; at += (text.codePointAt(at) ?? 0) > 0xffff ? 2 : 1) length++;
    this.#total += length;
    this.#count++;
    this.#min = Math.min(this.#min, length);
    this.#max = Math.max(this.#max, length);
  }

  get figures(): RunStats["text_characters"] {
    return { total: this.#total, min: this.#min, max: this.#max, mean: this.#total / this.#count };
  }
}

function stringOf(texts: ChunkList, problems: VerifyProblems): string | undefined {
  const { value } = texts;
  if (typeof value === "string") return value;
  problems.add(texts.file, "format", "has an element that is not a text", texts.rows - 1);
  return undefined;
}

/** The current element, to be parsed only when that is needed. */
function objectOf(metadata: ChunkList, problems: VerifyProblems): ChunkList | undefined {
  if (metadata.json[0] === 0x7b) return metadata;
  problems.add(metadata.file, "format", "has an element that is not an object", metadata.rows - 1);
  return undefined;
}
