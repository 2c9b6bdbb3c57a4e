/** How texts are put together into calls of the model. */
export interface BatchPlanOptions {
  /** Whether texts may share a call; without it each text is a call of its own, at its own length. */
  readonly batched: boolean;
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
 * Plans the calls for texts of the given lengths. Texts of different buckets never share a call, so the padded length
 * of a text, and with it its result, does not depend on the texts beside it.
 */
export function planCalls(lengths: readonly number[], options: BatchPlanOptions): PlannedCall[] {
  if (!options.batched) return lengths.map((length, position) => ({ positions: [position], paddedLength: length }));
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
