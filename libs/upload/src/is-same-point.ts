import { isDeepStrictEqual } from "node:util";
import { z } from "zod";
import type { Point } from "./point-problem.js";

const storedPoint = z.looseObject({
  id: z.string(),
  vector: z.record(
    z.string(),
    z.union([z.array(z.number()), z.object({ indices: z.array(z.number()), values: z.array(z.number()) })]),
  ),
  payload: z.record(z.string(), z.unknown()),
});

// A stored component may be off by the rounding of normalisation, or of float16 storage.
const tolerance = 1e-4;

const areClose = (a: readonly number[], b: readonly number[]): boolean =>
  a.length === b.length &&
  a.every((value, i) => Math.abs(value - (b[i] ?? Number.NaN)) <= tolerance * Math.max(1, Math.abs(value)));

/** Index and value pairs in the order of the indices: the server may keep them in another one. */
function sortedSparse({ indices, values }: { indices: number[]; values: number[] }): {
  indices: number[];
  values: number[];
} {
  const order = indices.map((index, i) => [index, values[i] ?? 0] as const).sort(([a], [b]) => a - b);
  return { indices: order.map(([index]) => index), values: order.map(([, value]) => value) };
}

/** Whether JSON values are equal but for the last digits of numbers, which Qdrant's reading of JSON may change. */
function areAlike(a: unknown, b: unknown): boolean {
  if (typeof a === "number" && typeof b === "number") return Math.abs(a - b) <= 1e-12 * Math.abs(a);
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return a === b;
  if (Array.isArray(a) !== Array.isArray(b)) return false;
  const keys = Object.keys(a);
  return (
    keys.length === Object.keys(b).length &&
    keys.every((key) => Object.hasOwn(b, key) && areAlike(a[key as keyof typeof a], b[key as keyof typeof b]))
  );
}

/** Whether what the server has stored, as it answers it, is this point. */
export function isSamePoint(stored: unknown, { id, vector, payload }: Point): boolean {
  const { data } = storedPoint.safeParse(stored);
  if (data === undefined || data.id !== id || !areAlike(payload, data.payload)) return false;
  const names = Object.keys(vector);
  return (
    Object.keys(data.vector).length === names.length &&
    names.every((name) => {
      const [wanted, found] = [vector[name], data.vector[name]];
      if (wanted === undefined || found === undefined) return false;
      if (Array.isArray(wanted) || Array.isArray(found))
        return Array.isArray(wanted) && Array.isArray(found) && areClose(wanted, found);
      const [a, b] = [sortedSparse(wanted), sortedSparse(found)];
      return isDeepStrictEqual(a.indices, b.indices) && areClose(a.values, b.values);
    })
  );
}
