import type { ModelSession, TextFailure } from "./model-session.js";
import { type TextTokenizer, truncatedPositions } from "./text-tokenizer.js";

/** What a text is to the model. */
export type InputType = "passage" | "query";

/** Dense vectors of some texts. */
export interface DenseResult {
  /** One unit-length row of the model's dimension per text, in order. */
  readonly values: Float32Array;
  /** Positions of the texts that were cut. */
  readonly truncated: number[];
  /** Texts that have no vector, for want of memory; their rows are zero. */
  readonly failures: TextFailure[];
}

/** Encodes texts with a pooled encoder. */
export class DenseEncoder {
  readonly #session: ModelSession;
  readonly #tokenizer: TextTokenizer;

  constructor(session: ModelSession, tokenizer: TextTokenizer) {
    this.#session = session;
    this.#tokenizer = tokenizer;
  }

  /**
   * The vectors of the texts, with the model's prefix for that kind of input.
   * @throws InferenceError when the model fails.
   */
  async encode(texts: readonly string[], inputType: InputType): Promise<DenseResult> {
    const { entry } = this.#session.model;
    const prefix = entry.prefixes[inputType];
    const sequences = texts.map((text) => this.#tokenizer.encode(prefix + text, entry.maxTokens));
    const width = entry.dimension;
    const values = new Float32Array(texts.length * width);
    const failures = await this.#session.run(sequences, (result, positions) => {
      positions.forEach((position, row) => {
        values.set(result.values.subarray(row * width, (row + 1) * width), position * width);
      });
    });
    return { values, truncated: truncatedPositions(sequences), failures };
  }
}
