import type { CallResult, ModelCall, OutputHead } from "./worker-protocol.js";

/** Divides a vector by its Euclidean length, in place; a zero vector stays zero. */
function normalise(vector: Float32Array): void {
  let sum = 0;
  for (const value of vector) sum += value * value;
  const scale = sum > 0 ? 1 / Math.sqrt(sum) : 0;
  for (let i = 0; i < vector.length; i++) vector[i] = (vector[i] ?? 0) * scale;
}

function poolDense(hidden: Float32Array, call: ModelCall, pooling: "cls" | "mean" | "last-token"): Float32Array {
  const width = hidden.length / (call.rows * call.columns);
  const pooled = new Float32Array(call.rows * width);
  const sums = new Float64Array(width);
  for (let row = 0; row < call.rows; row++) {
    const vector = pooled.subarray(row * width, (row + 1) * width);
    const start = row * call.columns * width;
    if (pooling !== "mean") {
      const token = pooling === "cls" ? 0 : (call.lengths[row] ?? 1) - 1;
      vector.set(hidden.subarray(start + token * width, start + (token + 1) * width));
    } else {
      const length = call.lengths[row] ?? 0;
      sums.fill(0);
      for (let token = 0; token < length; token++) {
        const at = start + token * width;
        for (let i = 0; i < width; i++) sums[i] = (sums[i] ?? 0) + (hidden[at + i] ?? 0);
      }
      for (let i = 0; i < width; i++) vector[i] = (sums[i] ?? 0) / length;
    }
    normalise(vector);
  }
  return pooled;
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

/**
 * Turns the raw output of a call into its results, row by row, so that no row sees another.
 * Dense: pools `rows x columns x width` hidden states (the first or last token, or the mean over real ones) and normalises to length 1.
 * Sparse: keeps the positive weights of `rows x vocabulary`. Score: the logits as they are.
 */
export function applyHead(head: OutputHead, output: Float32Array, call: ModelCall): CallResult {
  switch (head.kind) {
    case "dense":
      return { kind: "matrix", values: poolDense(output, call, head.pooling) };
    case "sparse":
      return keepPositive(output, call.rows);
    case "score":
      return { kind: "matrix", values: output.slice() };
  }
}
