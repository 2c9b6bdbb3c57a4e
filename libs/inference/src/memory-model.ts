/** What a worker process of a model needs, in bytes. */
export interface MemoryModel {
  /** Runtime and weights, once the session is open. */
  readonly loadedBytes: number;
  /** Activations for each padded token, by the length of the rows: attention grows with it. Shortest first. */
  readonly buckets: readonly { readonly columns: number; readonly bytesPerToken: number }[];
  /** Share that is added to activations, since another call of the same size may need more. @default 0.2 */
  readonly margin?: number;
}

const defaultMargin = 0.2;
/**
 * The margin on a GPU: onnxruntime takes its memory in blocks that double, and gives none back. Calls of mixed shapes up to
 * 16,384 tokens took up to 2.0 times what one shape needs for each token (SPLADE on an H100).
 */
export const gpuMargin = 1;

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

function reservedPerToken(model: MemoryModel, columns: number): number {
  return (1 + (model.margin ?? defaultMargin)) * bytesPerToken(model, columns);
}

/** Bytes that a call with rows of so many tokens needs beside the weights, with the safety margin. */
export function callBytes(model: MemoryModel, rows: number, columns: number): number {
  return rows * columns * reservedPerToken(model, columns);
}

/** Bytes that one worker needs for calls of `batchTokens` padded tokens whose rows have at most `maxColumns`. */
export function workerBytes(model: MemoryModel, maxColumns: number, batchTokens: number): number {
  const activationBytes = reservedPerToken(model, maxColumns) * Math.max(maxColumns, batchTokens);
  return model.loadedBytes + slackBytes + activationBytes;
}

/** Most padded tokens in a call of a worker that may use so many bytes; 0 if nothing fits beside its weights. */
export function tokensWithin(model: MemoryModel, bytes: number, columns: number): number {
  const free = bytes - model.loadedBytes - slackBytes;
  return Math.max(0, Math.floor(free / reservedPerToken(model, columns)));
}

/** What is known of a graph before it was measured. */
export interface GraphFacts {
  /** Size of the graph and its weights on disk. */
  readonly graphBytes: number;
  readonly maxTokens: number;
  /** Numbers that the graph puts out for each token before they are pooled: the vocabulary's size, for SPLADE. @default 0 */
  readonly outputWidth?: number;
  readonly kind: "cpu" | "cuda" | "simulated";
}

// Runtime and heap of a worker process.
const processBytes = 128 * 1024 ** 2;
// int8 on disk is four times that in fp32, and once more for the graph's own copy while it loads.
const loadedPerGraphByte = 5.5;
// A 12-layer encoder of 768 columns at 512 tokens needs about half of this.
const estimatedBytesPerToken = 131_072;
// Context and libraries of the CUDA runtime: 700 to 800 MB on an H100.
const cudaContextBytes = 800 * 1024 ** 2;

/** A careful guess, for a model that was not measured on this kind of device. A simulated one has just its ledger. */
export function estimateMemory({ graphBytes, maxTokens, outputWidth = 0, kind }: GraphFacts): MemoryModel {
  // The output and what it is made from.
  const outputBytes = 2 * 4 * outputWidth;
  const buckets = [{ columns: maxTokens, bytesPerToken: estimatedBytesPerToken + outputBytes }];
  if (kind === "simulated")
    return { loadedBytes: graphBytes, buckets: [{ columns: maxTokens, bytesPerToken: 65_536 }] };
  const runtimeBytes = kind === "cuda" ? cudaContextBytes : processBytes;
  return { loadedBytes: runtimeBytes + loadedPerGraphByte * graphBytes, buckets };
}
