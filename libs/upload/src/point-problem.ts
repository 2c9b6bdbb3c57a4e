import type { CollectionSchema } from "./collection-schema.js";

/** A point as a line of `<prefix>_qdrant.jsonl` holds it and Qdrant's upsert takes it. */
export interface Point {
  readonly id: string;
  readonly vector: Readonly<Record<string, number[] | { indices: number[]; values: number[] }>>;
  readonly payload: Readonly<Record<string, unknown>>;
}

const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const maxIndex = 2 ** 32 - 1;

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

// Qdrant stores float32: what rounds to infinity there is as wrong as infinity here.
const areFloats = (values: unknown): values is number[] =>
  Array.isArray(values) && values.every((value) => typeof value === "number" && Number.isFinite(Math.fround(value)));

function sparseProblem(vector: unknown): string | undefined {
  if (!isObject(vector)) return "is not an object with indices and values";
  const { indices, values, ...further } = vector;
  if (Object.keys(further).length > 0) return `has the unknown key ${Object.keys(further)[0]}`;
  if (!Array.isArray(indices) || !areFloats(values)) return "lacks indices, or values that are finite numbers";
  if (indices.length !== values.length) return `has ${indices.length} indices and ${values.length} values`;
  if (!indices.every((index) => Number.isInteger(index) && index >= 0 && index <= maxIndex))
    return "has an index that is not a whole number from 0 to 4294967295";
  return new Set(indices).size === indices.length ? undefined : "has an index twice";
}

/** What a Qdrant server would refuse in a point, or would take to a wrong end; undefined when it is sound. */
export function pointProblem(point: unknown, schema: CollectionSchema): string | undefined {
  if (!isObject(point)) return "is not an object";
  const { id, vector, payload, ...further } = point;
  if (Object.keys(further).length > 0) return `has the unknown key ${Object.keys(further)[0]}`;
  if (typeof id !== "string" || !uuid.test(id)) return "has an id that is not a UUID";
  if (!isObject(vector)) return "has no named vectors";
  if (!isObject(payload)) return "has no payload";
  for (const [name, { size }] of Object.entries(schema.vectors)) {
    const values = vector[name];
    if (!areFloats(values)) return `has no vector ${name} of finite numbers`;
    if (values.length !== size) return `has a vector ${name} of ${values.length} numbers instead of ${size}`;
  }
  for (const name of Object.keys(vector)) {
    if (Object.hasOwn(schema.vectors, name)) continue;
    if (!Object.hasOwn(schema.sparse_vectors, name)) return `has a vector ${name} that the run has not`;
    const problem = sparseProblem(vector[name]);
    if (problem !== undefined) return `has a vector ${name} that ${problem}`;
  }
  return undefined;
}
