import type { Block, SourceDocument } from "@ragline/documents";
import { cutSentences } from "./sentences.js";

/** A sentence, or a block that is taken as one. */
interface Unit {
  readonly start: number;
  readonly text: string;
}

/** Sentences on either side of a border that are compared. */
const windowSize = 2;
/** Standard deviations above the document's mean distance from which on a border is a turn. */
const threshold = 1;
/** Fewer units say nothing about what is usual in a document. */
const minUnits = 6;
const maxUnitLength = 1000;

/** The units of a document that are embedded to find its turns. Tables, code and the like are one unit each. */
export function semanticUnits({ text, blocks }: SourceDocument): Unit[] {
  return blocks
    .filter(({ kind }) => kind !== "heading" && kind !== "thematic")
    .flatMap((block) => unitsOf(text, block));
}

function unitsOf(text: string, { kind, start, end }: Block): Unit[] {
  const starts = kind === "paragraph" ? [start, ...cutSentences(text, start, end)] : [start];
  return starts.map((at, i) => ({
    start: at,
    text: text.slice(at, Math.min(starts[i + 1] ?? end, at + maxUnitLength)),
  }));
}

/**
 * The offsets at which the topic turns: the distance (1 - cosine) between the mean vectors of the two units before and the
 * two behind is the largest among its neighbours, and more than a standard deviation above the document's mean.
 * @param vectors One row for each unit.
 */
export function semanticTurns(units: readonly Unit[], vectors: Float32Array, columns: number): number[] {
  if (units.length < minUnits) return [];
  const distances = units.map((_, i) => (i === 0 ? 0 : distanceAt(vectors, columns, i, units.length)));
  const counted = distances.slice(1);
  const mean = counted.reduce((sum, value) => sum + value, 0) / counted.length;
  const deviation = Math.sqrt(counted.reduce((sum, value) => sum + (value - mean) ** 2, 0) / counted.length);
  return units.flatMap(({ start }, i) => {
    const distance = distances[i] ?? 0;
    const isPeak = distance >= (distances[i - 1] ?? 0) && distance > (distances[i + 1] ?? 0);
    return i > 0 && isPeak && distance > mean + threshold * deviation ? [start] : [];
  });
}

function distanceAt(vectors: Float32Array, columns: number, at: number, count: number): number {
  const before = sumOf(vectors, columns, Math.max(0, at - windowSize), at);
  const after = sumOf(vectors, columns, at, Math.min(count, at + windowSize));
  let product = 0;
  let squaredBefore = 0;
  let squaredAfter = 0;
  for (let i = 0; i < columns; i++) {
    const a = before[i] ?? 0;
    const b = after[i] ?? 0;
    product += a * b;
    squaredBefore += a * a;
    squaredAfter += b * b;
  }
  const length = Math.sqrt(squaredBefore * squaredAfter);
  return length === 0 ? 0 : 1 - product / length;
}

function sumOf(vectors: Float32Array, columns: number, from: number, to: number): Float64Array {
  const sum = new Float64Array(columns);
  for (let row = from; row < to; row++) {
    for (let i = 0; i < columns; i++) sum[i] = (sum[i] ?? 0) + (vectors[row * columns + i] ?? 0);
  }
  return sum;
}
