import { Tensor } from "onnxruntime-node";
import { firstColumn } from "./first-column.js";
import type { GraphInputs, ModelCall } from "./worker-protocol.js";

/** What a graph says of one of its inputs or outputs. */
export interface GraphValue {
  readonly name: string;
  readonly type: string;
  /** Sizes, or names of those that are open. */
  readonly shape: readonly (number | string)[];
}

const cachePattern = /^past_key_values\.\d+\.(key|value)$/;

/** Whether an input is the memory of earlier calls, which an encoder never has: it gets an empty one. */
export function isEmptyCache({ name }: GraphValue): boolean {
  return cachePattern.test(name) || name === "use_cache_branch";
}

function integers(value: GraphValue, values: BigInt64Array, shape: readonly number[]): Tensor {
  if (value.type === "int32") return new Tensor("int32", Int32Array.from(values, Number), shape);
  return new Tensor("int64", values, shape);
}

function emptyCache(value: GraphValue, rows: number): Tensor {
  if (value.name === "use_cache_branch") return new Tensor("bool", [false], [1]);
  // Texts x heads x no earlier token x numbers of a head.
  const shape = value.shape.map((size, axis) => (axis === 0 ? rows : typeof size === "number" ? size : 0));
  if (value.type === "float16") return new Tensor("float16", new Uint16Array(), shape);
  return new Tensor("float32", new Float32Array(), shape);
}

function constant(value: GraphValue, numbers: number | readonly number[], rows: number): Tensor {
  const given = typeof numbers === "number" ? [numbers] : numbers;
  // One number serves each text where the graph takes one for each.
  const perText = value.shape.length === 1 && typeof value.shape[0] === "string" && given.length === 1;
  const all = perText ? Array.from({ length: rows }, () => given[0] ?? 0) : given;
  const shape = value.shape.length === 0 ? [] : [all.length];
  return integers(value, BigInt64Array.from(all, BigInt), shape);
}

/** The tensors that a graph takes for one call: exactly those inputs that it has. */
export function inputTensors(
  call: ModelCall,
  inputs: GraphInputs,
  graph: readonly GraphValue[],
): Record<string, Tensor> {
  const { rows, columns, ids, lengths, secondTypeFrom, padId = 0 } = call;
  const size = rows * columns;
  const tokens = new BigInt64Array(size).fill(BigInt(padId));
  const mask = new BigInt64Array(size);
  const types = new BigInt64Array(size);
  const positions = new BigInt64Array(size);
  for (let row = 0; row < rows; row++) {
    const length = lengths[row] ?? 0;
    const source = row * columns;
    const start = source + firstColumn(call, row, inputs);
    for (let i = 0; i < length; i++) {
      tokens[start + i] = BigInt(ids[source + i] ?? 0);
      positions[start + i] = BigInt(i);
    }
    mask.fill(1n, start, start + length);
    if (secondTypeFrom) types.fill(1n, start + (secondTypeFrom[row] ?? 0), start + length);
  }
  const values = new Map([
    [inputs.ids, tokens],
    [inputs.attentionMask, mask],
    [inputs.tokenTypes, types],
    [inputs.positionIds, positions],
  ]);
  const tensors: Record<string, Tensor> = {};
  for (const value of graph) {
    const numbers = values.get(value.name);
    const fixed = inputs.constants[value.name];
    if (numbers) tensors[value.name] = integers(value, numbers, [rows, columns]);
    else if (fixed !== undefined) tensors[value.name] = constant(value, fixed, rows);
    else tensors[value.name] = emptyCache(value, rows);
  }
  return tensors;
}
