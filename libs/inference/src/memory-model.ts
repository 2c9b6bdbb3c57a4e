/** What a worker process of a model needs, in bytes. */
export interface MemoryModel {
  /** Runtime and weights, once the session is open. */
  readonly loadedBytes: number;
  /** Activations for each padded token, by the length of the rows: attention grows with it. Shortest first. */
  readonly buckets: readonly { readonly columns: number; readonly bytesPerToken: number }[];
}

/** What is added to measured activations, since another call of the same size may need somewhat more. */
export const safetyMargin = 0.2;

// Messages, results and the heap of the process beside the session.
const slackBytes = 64 * 1024 ** 2;

function bytesPerToken({ buckets }: MemoryModel, columns: number): number {
  const bucket = buckets.find((each) => each.columns >= columns);
  if (bucket) return bucket.bytesPerToken;
  const last = buckets.at(-1);
  if (!last) throw new RangeError("a memory model needs at least one bucket");
  // Beyond what was measured the share of attention, which grows with the length, is taken for all of it.
  return (last.bytesPerToken * columns) / last.columns;
}

/** Bytes that a call with rows of so many tokens needs beside the weights, with the safety margin. */
export function callBytes(model: MemoryModel, rows: number, columns: number): number {
  return (1 + safetyMargin) * rows * columns * bytesPerToken(model, columns);
}

/** Bytes that one worker needs for calls of `batchTokens` padded tokens whose rows have at most `maxColumns`. */
export function workerBytes(model: MemoryModel, maxColumns: number, batchTokens: number): number {
  const perToken = (1 + safetyMargin) * bytesPerToken(model, maxColumns);
  return model.loadedBytes + slackBytes + perToken * Math.max(maxColumns, batchTokens);
}

/** Most padded tokens in a call of a worker that may use so many bytes; 0 if nothing fits beside its weights. */
export function tokensWithin(model: MemoryModel, bytes: number, columns: number): number {
  const free = bytes - model.loadedBytes - slackBytes;
  return Math.max(0, Math.floor(free / ((1 + safetyMargin) * bytesPerToken(model, columns))));
}

/** What is known of a graph before it was measured. */
export interface GraphFacts {
  /** Size of the graph and its weights on disk. */
  readonly graphBytes: number;
  readonly maxTokens: number;
  readonly kind: "cpu" | "cuda" | "simulated";
}

// Runtime and heap of a worker process.
const processBytes = 128 * 1024 ** 2;
// int8 on disk is four times that in fp32, and once more for the graph's own copy while it loads.
const loadedPerGraphByte = 5.5;
// A 12-layer encoder of 768 columns at 512 tokens needs about half of this.
const estimatedBytesPerToken = 131_072;
// The CUDA runtime's own context.
const cudaContextBytes = 600 * 1024 ** 2;

/** A careful guess, for a model that was not measured on this kind of device. A simulated one has just its ledger. */
export function estimateMemory({ graphBytes, maxTokens, kind }: GraphFacts): MemoryModel {
  const buckets = [{ columns: maxTokens, bytesPerToken: estimatedBytesPerToken }];
  if (kind === "simulated")
    return { loadedBytes: graphBytes, buckets: [{ columns: maxTokens, bytesPerToken: 65_536 }] };
  const runtimeBytes = kind === "cuda" ? cudaContextBytes : processBytes;
  return { loadedBytes: runtimeBytes + loadedPerGraphByte * graphBytes, buckets };
}
