import type { TextTokenizer } from "@ragline/tokenizer";
import type { CrossEncoderResult, Reranker } from "./cross-encoder.js";
import { DenseEncoder } from "./dense-encoder.js";
import type { ModelSession } from "./model-session.js";

/** Scores passages by the cosine of their vector and the query's. */
export class BiEncoder implements Reranker {
  readonly #encoder: DenseEncoder;
  readonly #dimension: number;

  constructor(session: ModelSession, tokenizer: TextTokenizer) {
    this.#encoder = new DenseEncoder(session, tokenizer);
    this.#dimension = session.model.entry.dimension;
  }

  /**
   * A cosine for every passage; NaN where the query has no vector.
   * @throws InferenceError when the model fails.
   */
  async score(query: string, passages: readonly string[]): Promise<CrossEncoderResult> {
    const [asked, found] = await Promise.all([
      this.#encoder.encode([query], "query"),
      this.#encoder.encode(passages, "passage"),
    ]);
    const width = this.#dimension;
    const scores = Float32Array.from(passages, (_, row) =>
      cosine(asked.values, found.values.subarray(row * width, (row + 1) * width)),
    );
    const [queryFailure] = asked.failures;
    const failures = queryFailure ? passages.map((_, position) => ({ ...queryFailure, position })) : found.failures;
    for (const { position } of failures) scores[position] = Number.NaN;
    return { scores, truncated: found.truncated, failures };
  }
}

function cosine(a: Float32Array, b: Float32Array): number {
  let [product, ofA, ofB] = [0, 0, 0];
  for (let i = 0; i < a.length; i++) {
    const [x, y] = [a[i] ?? 0, b[i] ?? 0];
    product += x * y;
    ofA += x * x;
    ofB += y * y;
  }
  return product / Math.sqrt(ofA * ofB || 1);
}
