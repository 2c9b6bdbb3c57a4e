import { ArtifactError } from "./artifact-error.js";
import { documentOf } from "./document-of.js";
import { IdTable, isUuid } from "./id-table.js";
import { readLines } from "./read-lines.js";

/** A point that one of two runs has alone. */
export interface LonePoint {
  readonly id: string;
  /** Row in its own run. */
  readonly row: number;
  readonly document: string;
}

/** Points of a run that another one lacks. */
export interface LonePoints {
  readonly count: number;
  /** The first ten. */
  readonly first: readonly LonePoint[];
}

/** Which points two runs have in common. */
export interface PointComparison {
  readonly same: number;
  /** Points of the second run that the first lacks. */
  readonly added: LonePoints;
  /** Points of the first run that the second lacks. */
  readonly removed: LonePoints;
}

const shown = 10;
const lineStart = Buffer.from('{"id":"');
const uuidLength = 36;

/**
 * Compares the ids of the points in two files of Qdrant points. Memory: 24 to 40 bytes for each point.
 * @throws ArtifactError when a file cannot be read, or its points have other ids than UUIDs.
 */
export async function comparePointIds(first: string, second: string): Promise<PointComparison> {
  const ids = new IdTable();
  for await (const { bytes, number } of readLines(first)) ids.add(idOf(bytes, number, first));
  const others = new IdTable();
  let same = 0;
  const added = new LoneTally();
  for await (const { bytes, number } of readLines(second)) {
    const id = idOf(bytes, number, second);
    others.add(id);
    if (ids.rowOf(id) === undefined) added.add(id, number, bytes);
    else same++;
  }
  const removed = new LoneTally();
  for await (const { bytes, number } of readLines(first)) {
    const id = idOf(bytes, number, first);
    if (others.rowOf(id) === undefined) removed.add(id, number, bytes);
  }
  return { same, added: added.result, removed: removed.result };
}

class LoneTally {
  #count = 0;
  readonly #first: LonePoint[] = [];

  add(id: string, row: number, line: Buffer): void {
    this.#count++;
    if (this.#first.length >= shown) return;
    const { payload = {} } = JSON.parse(line.toString()) as { payload?: Record<string, unknown> };
    this.#first.push({ id, row, document: documentOf(payload) });
  }

  get result(): LonePoints {
    return { count: this.#count, first: this.#first };
  }
}

/** A point's id without parsing its vectors. */
function idOf(line: Buffer, number: number, path: string): string {
  const end = lineStart.length + uuidLength;
  const id = line.subarray(0, lineStart.length).equals(lineStart) ? line.toString("latin1", lineStart.length, end) : "";
  if (isUuid(id)) return id;
  throw new ArtifactError("INVALID_FORMAT", `Line ${number + 1} of ${path} has no UUID as its point's id.`);
}
