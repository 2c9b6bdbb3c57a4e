import { firstColumn } from "./first-column.js";
import type { CallResult, GraphInputs, ModelCall, OutputHead } from "./worker-protocol.js";

type Side = Pick<GraphInputs, "paddingSide">;

/** Divides a vector by its Euclidean length, in place; a zero vector stays zero. */
export function normalise(vector: Float32Array): void {
  let sum = 0;
  for (const value of vector) sum += value * value;
  const scale = sum > 0 ? 1 / Math.sqrt(sum) : 0;
  for (let i = 0; i < vector.length; i++) vector[i] = (vector[i] ?? 0) * scale;
}

type Pooling = Extract<OutputHead, { kind: "hidden-states" }>["pooling"];

function poolTokens(hidden: Float32Array, call: ModelCall, pooling: Pooling, side: Side): Float32Array {
  const width = hidden.length / (call.rows * call.columns);
  const pooled = new Float32Array(call.rows * width);
  const sums = new Float64Array(width);
  for (let row = 0; row < call.rows; row++) {
    const vector = pooled.subarray(row * width, (row + 1) * width);
    const length = call.lengths[row] ?? 1;
    const start = (row * call.columns + firstColumn(call, row, side)) * width;
    if (pooling !== "mean") {
      const at = start + (pooling === "cls" ? 0 : length - 1) * width;
      vector.set(hidden.subarray(at, at + width));
    } else {
      sums.fill(0);
      for (let token = 0; token < length; token++) {
        const at = start + token * width;
        for (let i = 0; i < width; i++) sums[i] = (sums[i] ?? 0) + (hidden[at + i] ?? 0);
      }
      for (let i = 0; i < width; i++) vector[i] = (sums[i] ?? 0) / length;
    }
  }
  return pooled;
}

/** The first numbers of each vector. */
function cutRows(values: Float32Array, rows: number, dimension: number): Float32Array {
  const width = values.length / rows;
  if (width <= dimension) return values;
  const cut = new Float32Array(rows * dimension);
  for (let row = 0; row < rows; row++) cut.set(values.subarray(row * width, row * width + dimension), row * dimension);
  return cut;
}

function normaliseRows(values: Float32Array, rows: number): Float32Array {
  const width = values.length / rows;
  for (let row = 0; row < rows; row++) normalise(values.subarray(row * width, (row + 1) * width));
  return values;
}

/** SPLADE's pooling of `rows x columns x vocabulary` logits: the maximum over real tokens first, then log(1 + relu). */
function poolLogits(logits: Float32Array, call: ModelCall, side: Side): Float32Array {
  const vocabulary = logits.length / (call.rows * call.columns);
  const weights = new Float32Array(call.rows * vocabulary);
  for (let row = 0; row < call.rows; row++) {
    const best = weights.subarray(row * vocabulary, (row + 1) * vocabulary);
    const start = row * call.columns + firstColumn(call, row, side);
    // Starting from zero is the relu.
    for (let token = start; token < start + (call.lengths[row] ?? 0); token++) {
      const at = token * vocabulary;
      for (let id = 0; id < vocabulary; id++) best[id] = Math.max(best[id] ?? 0, logits[at + id] ?? 0);
    }
    for (let id = 0; id < vocabulary; id++) best[id] = Math.log1p(best[id] ?? 0);
  }
  return weights;
}

function keepPositive(weights: Float32Array, rows: number): CallResult {
  const vocabulary = weights.length / rows;
  const indices: number[] = [];
  const rowLengths = new Uint32Array(rows);
  for (let row = 0; row < rows; row++) {
    const before = indices.length;
    for (let id = 0; id < vocabulary; id++) if ((weights[row * vocabulary + id] ?? 0) > 0) indices.push(id);
    rowLengths[row] = indices.length - before;
  }
  const values = new Float32Array(indices.length);
  let at = 0;
  for (let row = 0; row < rows; row++) {
    for (const end = at + (rowLengths[row] ?? 0); at < end; at++)
      values[at] = weights[row * vocabulary + (indices[at] ?? 0)] ?? 0;
  }
  return { kind: "sparse", rowLengths, indices: Uint32Array.from(indices), values };
}

/** The logit of each pair; of two, by how much "relevant" is above "irrelevant". */
function pairLogits(logits: Float32Array, rows: number): Float32Array {
  if (logits.length === rows) return logits.slice();
  return Float32Array.from({ length: rows }, (_, row) => (logits[2 * row + 1] ?? 0) - (logits[2 * row] ?? 0));
}

/** Attention that the first token pays to each real token, as the mean over the heads of `rows x heads x columns x columns`. */
function firstTokenAttention(attentions: Float32Array, call: ModelCall, side: Side): Float32Array {
  const { rows, columns } = call;
  const heads = attentions.length / (rows * columns * columns);
  const weights = new Float32Array(rows * columns);
  for (let row = 0; row < rows; row++) {
    const start = firstColumn(call, row, side);
    for (let token = 0; token < (call.lengths[row] ?? 0); token++) {
      let sum = 0;
      for (let head = 0; head < heads; head++)
        sum += attentions[((row * heads + head) * columns + start) * columns + start + token] ?? 0;
      weights[row * columns + token] = sum / heads;
    }
  }
  return weights;
}

/**
 * Turns the raw output of a call into its results, row by row, so that no row sees another.
 * Dense: pools `rows x columns x width` hidden states (the first or last token, or the mean over real ones) or takes
 * `rows x width`, keeps the first numbers, and normalises to length 1 where the model does. Sparse: the positive weights of `rows x vocabulary`.
 * Score: one logit a pair. Attentions: one weight a token.
 */
export function applyHead(head: OutputHead, output: Float32Array, call: ModelCall, side: Side): CallResult {
  switch (head.kind) {
    case "hidden-states":
    case "pooled": {
      const pooled = head.kind === "pooled" ? output.slice() : poolTokens(output, call, head.pooling, side);
      const values = cutRows(pooled, call.rows, head.dimension);
      return { kind: "matrix", values: head.normalise ? normaliseRows(values, call.rows) : values };
    }
    case "sparse-weights":
      return keepPositive(output, call.rows);
    case "sparse-logits":
      return keepPositive(poolLogits(output, call, side), call.rows);
    case "score":
      return { kind: "matrix", values: pairLogits(output, call.rows) };
    case "attentions":
      return { kind: "matrix", values: firstTokenAttention(output, call, side) };
  }
}
