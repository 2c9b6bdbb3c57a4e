import { type TextTokenizer, truncatedPositions } from "@ragline/tokenizer";
import type { ModelSession, TextFailure } from "./model-session.js";

/** Scores of some passages for one query. */
export interface CrossEncoderResult {
  /** One score per passage, in order: the logit, or its sigmoid where the model's entry asks for that. */
  readonly scores: Float32Array;
  /** Positions of the passages that were cut. */
  readonly truncated: number[];
  /** Passages that have no score, for want of memory; theirs is NaN. */
  readonly failures: TextFailure[];
}

/** Scores passages for a query. */
export interface Reranker {
  /**
   * A score for every passage, higher for a better one.
   * @throws InferenceError when the model fails.
   */
  score(query: string, passages: readonly string[]): Promise<CrossEncoderResult>;
}

const sigmoid = (logit: number): number => 1 / (1 + Math.exp(-logit));

/** Scores (query, passage) pairs, each read by the model as one sequence. */
export class CrossEncoder implements Reranker {
  readonly #session: ModelSession;
  readonly #tokenizer: TextTokenizer;

  constructor(session: ModelSession, tokenizer: TextTokenizer) {
    this.#session = session;
    this.#tokenizer = tokenizer;
  }

  /**
   * The model's score for every passage.
   * @throws InferenceError when the model fails.
   */
  async score(query: string, passages: readonly string[]): Promise<CrossEncoderResult> {
    const { maxTokens, tokenizer, score } = this.#session.model.entry;
    const { pairTruncation: truncation, pairTemplate: template } = tokenizer;
    const options = { truncation, ...(template === undefined ? {} : { template }) };
    const sequences = passages.map((passage) => this.#tokenizer.encodePair(query, passage, maxTokens, options));
    const activate = score.activation === "sigmoid" ? sigmoid : (logit: number) => logit;
    const scores = new Float32Array(passages.length).fill(Number.NaN);
    const failures = await this.#session.run(sequences, (result, positions) => {
      positions.forEach((position, row) => {
        scores[position] = activate(result.values[row] ?? Number.NaN);
      });
    });
    return { scores, truncated: truncatedPositions(sequences), failures };
  }
}
