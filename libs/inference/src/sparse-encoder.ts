import { inputText } from "@ragline/models";
import { type TextTokenizer, truncatedPositions } from "@ragline/tokenizer";
import type { SparseVector } from "@ragline/vectors";
import type { InputType } from "./dense-encoder.js";
import type { ModelSession, TextFailure } from "./model-session.js";

/** Sparse vectors of some texts. */
export interface SparseResult {
  readonly rows: SparseVector[];
  /** Positions of the texts that were cut. */
  readonly truncated: number[];
  /** Texts that have no vector, for want of memory; their rows are empty. */
  readonly failures: TextFailure[];
}

/** Encodes texts as sparse vectors. */
export interface SparseTextEncoder {
  /**
   * The positive weights of each text.
   * @throws InferenceError when the model fails.
   */
  encode(texts: readonly string[], inputType: InputType): Promise<SparseResult>;
  /** The word for a dimension that an earlier result has. */
  token(index: number): string;
}

/** Encodes texts with a SPLADE graph: weights over the tokenizer's own vocabulary. */
export class SparseEncoder implements SparseTextEncoder {
  readonly #session: ModelSession;
  readonly #tokenizer: TextTokenizer;

  constructor(session: ModelSession, tokenizer: TextTokenizer) {
    this.#session = session;
    this.#tokenizer = tokenizer;
  }

  /**
   * The positive weights of each text.
   * @throws InferenceError when the model fails.
   */
  async encode(texts: readonly string[], inputType: InputType): Promise<SparseResult> {
    const { entry } = this.#session.model;
    const sequences = texts.map((text) => this.#tokenizer.encode(inputText(entry, inputType, text), entry.maxTokens));
    const rows = new Array<SparseVector>(texts.length);
    const failures = await this.#session.run(sequences, (result, positions) => {
      if (result.kind !== "sparse") throw new TypeError(`model ${entry.key} gave no sparse rows`);
      let at = 0;
      positions.forEach((position, row) => {
        const end = at + (result.rowLengths[row] ?? 0);
        rows[position] = { indices: result.indices.slice(at, end), values: result.values.slice(at, end) };
        at = end;
      });
    });
    for (const { position } of failures) rows[position] = { indices: new Uint32Array(), values: new Float32Array() };
    return { rows, truncated: truncatedPositions(sequences), failures };
  }

  /** The vocabulary's word for a dimension. */
  token(index: number): string {
    return this.#tokenizer.token(index);
  }
}
