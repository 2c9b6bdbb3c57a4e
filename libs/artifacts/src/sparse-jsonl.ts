import { packSparse, type SparseBlock, type SparseVector } from "@ragline/vectors";
import { z } from "zod";
import { ArtifactError } from "./artifact-error.js";
import type { JsonBytes } from "./json-bytes.js";
import { readLines } from "./read-lines.js";

/** One sparse row as JSON in parts, so that each is made once and used in several files. */
export interface SparseRowJson {
  /** `{"indices":[...],"values":[...]}` */
  readonly vector: Uint8Array;
  /** List of the words behind the indices; empty when they are not known. */
  readonly tokens: Uint8Array;
  /** `{"weight_norm":<Euclidean length>,"unique_terms":<count>}` */
  readonly stats: Uint8Array;
}

const emptyVector = Buffer.from('{"indices":[],"values":[]}');

/** Whether a vector made by `sparseRowJson` has no entry. */
export const isEmptySparseJson = (vector: Uint8Array): boolean => vector.length === emptyVector.length;

/**
 * Renders one sparse row.
 * @param json scratch memory, overwritten.
 * @throws RangeError when a value is not finite.
 */
export function sparseRowJson(
  json: JsonBytes,
  indices: ArrayLike<number>,
  values: ArrayLike<number>,
  tokens: readonly string[],
): SparseRowJson {
  let squares = 0;
  for (let i = 0; i < values.length; i++) squares += (values[i] ?? 0) ** 2;
  const copy = () => Buffer.from(json.bytes);
  json.clear().text('{"indices":').uints(indices).text(',"values":').floats(values).text("}");
  const vector = copy();
  json.clear().value(tokens);
  const words = copy();
  json.clear().value({ weight_norm: Math.fround(Math.sqrt(squares)), unique_terms: indices.length });
  return { vector, tokens: words, stats: copy() };
}

/**
 * Appends one line of `<prefix>_sparse.jsonl`:
 * `{"id","sparse_vector":{indices,values},"tokens","stats","sparse_vectors":{<model>:{indices,values}}}`.
 * @param primary row of the first sparse model.
 * @param all vector of each model, as made by `sparseRowJson`, the primary's included.
 */
export function appendSparseLine(
  json: JsonBytes,
  id: string,
  primary: SparseRowJson,
  all: readonly (readonly [model: string, vector: Uint8Array])[],
): void {
  json.text('{"id":').value(id).text(',"sparse_vector":').raw(primary.vector);
  json.text(',"tokens":').raw(primary.tokens).text(',"stats":').raw(primary.stats).text(',"sparse_vectors":{');
  appendVectors(json, all);
  json.text("}}\n");
}

/** Appends `"<name>":<vector>` pairs, separated by commas. */
export function appendVectors(
  json: JsonBytes,
  vectors: readonly (readonly [name: string, vector: Uint8Array])[],
): void {
  for (const [i, [name, vector]] of vectors.entries()) {
    json
      .text(i === 0 ? "" : ",")
      .value(name)
      .text(":")
      .raw(vector);
  }
}

const sparseLine = z.looseObject({
  sparse_vectors: z
    .record(z.string(), z.object({ indices: z.array(z.uint32()), values: z.array(z.number()) }))
    .optional(),
});
type SparseLine = z.infer<typeof sparseLine>;

/**
 * Streams the rows of one model out of a `_sparse.jsonl` file. Rows without a vector of the model are empty.
 * @param rowsPerBlock @default 256
 * @throws ArtifactError when the file cannot be read or a line is damaged.
 */
export async function* readSparseJsonl(
  path: string,
  model: string,
  rowsPerBlock = 256,
): AsyncGenerator<SparseBlock, void, undefined> {
  let rows: SparseVector[] = [];
  let firstIndex = 0;
  for await (const line of readLines(path)) {
    const vector = parseSparseLine(path, line.number, line.bytes).sparse_vectors?.[model];
    rows.push({ indices: Uint32Array.from(vector?.indices ?? []), values: Float32Array.from(vector?.values ?? []) });
    if (rows.length < rowsPerBlock) continue;
    yield packSparse(firstIndex, rows);
    firstIndex += rows.length;
    rows = [];
  }
  if (rows.length > 0) yield packSparse(firstIndex, rows);
}

/**
 * Streams the rows of all models out of a `_sparse.jsonl` file in one pass: model -> vector. A row of plain JSON values,
 * which are cheaper to make than arrays of numbers.
 * @throws ArtifactError when the file cannot be read or a line is damaged.
 */
export async function* readSparseRows(
  path: string,
): AsyncGenerator<Readonly<Record<string, { indices: number[]; values: number[] }>>, void, undefined> {
  for await (const line of readLines(path)) yield parseSparseLine(path, line.number, line.bytes).sparse_vectors ?? {};
}

/** Names of the sparse models in a `_sparse.jsonl` file, primary first. */
export async function sparseModels(path: string): Promise<string[]> {
  for await (const line of readLines(path)) {
    return Object.keys(parseSparseLine(path, line.number, line.bytes).sparse_vectors ?? {});
  }
  return [];
}

function parseSparseLine(path: string, number: number, bytes: Buffer): SparseLine {
  const fail = (problem: string, cause: unknown) =>
    new ArtifactError("INVALID_FORMAT", `Line ${number + 1} of ${path} ${problem}. Run again to write it anew.`, {
      cause,
    });
  let value: unknown;
  try {
    value = JSON.parse(bytes.toString());
  } catch (error) {
    throw fail("is not valid JSON", error);
  }
  const parsed = sparseLine.safeParse(value);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw fail(
      `has no sparse vectors that can be read (${issue?.path.join(".") || "line"}: ${issue?.message})`,
      parsed.error,
    );
  }
  for (const [model, vector] of Object.entries(parsed.data.sparse_vectors ?? {}))
    if (vector.indices.length !== vector.values.length)
      throw fail(`has ${vector.indices.length} indices and ${vector.values.length} values of ${model}`, undefined);
  return parsed.data;
}
