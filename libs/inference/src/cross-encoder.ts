import type { ModelSession, TextFailure } from "./model-session.js";
import { type TextTokenizer, truncatedPositions } from "./text-tokenizer.js";

/** Scores of some passages for one query. */
export interface CrossEncoderResult {
  /** One raw logit per passage, in order. */
  readonly scores: Float32Array;
  /** Positions of the passages that were cut. */
  readonly truncated: number[];
  /** Passages that have no score, for want of memory; theirs is NaN. */
  readonly failures: TextFailure[];
}

/** Scores (query, passage) pairs, each read by the model as one sequence. */
export class CrossEncoder {
  readonly #session: ModelSession;
  readonly #tokenizer: TextTokenizer;

  constructor(session: ModelSession, tokenizer: TextTokenizer) {
    this.#session = session;
    this.#tokenizer = tokenizer;
  }

  /**
   * The model's logits for every passage.
   * @throws InferenceError when the model fails.
   */
  async score(query: string, passages: readonly string[]): Promise<CrossEncoderResult> {
    const { maxTokens } = this.#session.model.entry;
    const sequences = passages.map((passage) => this.#tokenizer.encodePair(query, passage, maxTokens));
    const scores = new Float32Array(passages.length).fill(Number.NaN);
    const failures = await this.#session.run(sequences, (result, positions) => {
      positions.forEach((position, row) => {
        scores[position] = result.values[row] ?? Number.NaN;
      });
    });
    return { scores, truncated: truncatedPositions(sequences), failures };
  }
}
