/**
 * Which texts may share a call: none, so that each is a call at its own length; those that are padded to the same length
 * anyhow; or any.
 */
export type CallSharing = "none" | "same-length" | "any-length";

/** How texts are put together into calls of the model. */
export interface BatchPlanOptions {
  readonly sharing: CallSharing;
  /** Most padded tokens in one call. A text longer than this still gets a call of its own. */
  readonly maxBatchTokens: number;
  /** Most texts in one call. @default as many as the tokens allow */
  readonly maxBatchItems?: number;
  /** Most tokens that the model takes; no bucket is wider. */
  readonly maxTokens: number;
}

/** One call of the model: the positions of its texts and the length that each is padded to. */
export interface PlannedCall {
  readonly positions: readonly number[];
  readonly paddedLength: number;
}

const bucketStep = 8;

/** The padded length of a text, which depends on its own length alone: the next multiple of 8, at most `maxTokens`. */
export function bucketOf(length: number, maxTokens: number): number {
  return Math.max(length, Math.min(maxTokens, Math.ceil(length / bucketStep) * bucketStep));
}

/**
 * Plans the calls for texts of the given lengths. Where texts of different buckets never share a call, the padded length
 * of a text, and with it its result, does not depend on the texts beside it. Where any may, those of like length do.
 */
export function planCalls(lengths: readonly number[], options: BatchPlanOptions): PlannedCall[] {
  switch (options.sharing) {
    case "none":
      return lengths.map((length, position) => ({ positions: [position], paddedLength: length }));
    case "same-length":
      return planBuckets(lengths, options);
    case "any-length":
      return planByLength(lengths, options);
  }
}

function planBuckets(lengths: readonly number[], options: BatchPlanOptions): PlannedCall[] {
  const buckets = new Map<number, number[]>();
  lengths.forEach((length, position) => {
    const bucket = bucketOf(length, options.maxTokens);
    const positions = buckets.get(bucket);
    if (positions) positions.push(position);
    else buckets.set(bucket, [position]);
  });
  const calls: PlannedCall[] = [];
  for (const [paddedLength, positions] of buckets) {
    const rows = Math.max(
      1,
      Math.min(options.maxBatchItems ?? Infinity, Math.floor(options.maxBatchTokens / paddedLength)),
    );
    for (let at = 0; at < positions.length; at += rows)
      calls.push({ positions: positions.slice(at, at + rows), paddedLength });
  }
  return calls;
}

/** Longest first, so that a call is about as long as its first text and little is padding. */
function planByLength(lengths: readonly number[], options: BatchPlanOptions): PlannedCall[] {
  const { maxBatchTokens, maxTokens, maxBatchItems = Infinity } = options;
  const calls: { positions: number[]; paddedLength: number }[] = [];
  const order = [...lengths.keys()].sort((a, b) => (lengths[b] ?? 0) - (lengths[a] ?? 0) || a - b);
  for (const position of order) {
    const call = calls.at(-1);
    const rows = (call?.positions.length ?? 0) + 1;
    if (call && rows <= maxBatchItems && rows * call.paddedLength <= maxBatchTokens) call.positions.push(position);
    else calls.push({ positions: [position], paddedLength: bucketOf(lengths[position] ?? 0, maxTokens) });
  }
  return calls;
}
