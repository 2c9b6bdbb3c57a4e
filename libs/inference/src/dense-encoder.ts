import { inputText } from "@ragline/models";
import { type TextTokenizer, type TokenSequence, truncatedPositions } from "@ragline/tokenizer";
import type { ModelSession, TextFailure } from "./model-session.js";
import { normalise } from "./output-heads.js";

/** What a text is to the model. */
export type InputType = "passage" | "query";

/** What becomes of a passage with more tokens than the model takes: its start alone, or the mean of all its parts. */
export type LongText = "truncate" | "window-mean";

/** How a {@link DenseEncoder} encodes. */
export interface DenseEncoderOptions {
  /** What becomes of passages that are too long; a query is always cut. @default "truncate" */
  readonly longText?: LongText;
}

/** Dense vectors of some texts. */
export interface DenseResult {
  /** One row of the model's dimension per text, in order; of length 1 where the model normalises. */
  readonly values: Float32Array;
  /** Positions of the texts that were cut. */
  readonly truncated: number[];
  /** Positions of the texts whose vector is the mean of several. */
  readonly averaged: number[];
  /** Texts that have no vector, for want of memory; their rows are zero. */
  readonly failures: TextFailure[];
}

/** Encodes texts with a pooled encoder. */
export class DenseEncoder {
  readonly #session: ModelSession;
  readonly #tokenizer: TextTokenizer;
  readonly #longText: LongText;

  constructor(session: ModelSession, tokenizer: TextTokenizer, { longText = "truncate" }: DenseEncoderOptions = {}) {
    this.#session = session;
    this.#tokenizer = tokenizer;
    this.#longText = longText;
  }

  /**
   * The vectors of the texts, each with what the model wants before that kind of input.
   * @throws InferenceError when the model fails.
   */
  async encode(texts: readonly string[], inputType: InputType): Promise<DenseResult> {
    const windows = texts.map((text) => this.#windows(text, inputType));
    const { dimension: width, normalise: isNormalised } = this.#session.model.entry;
    const vectors = new Float32Array(windows.reduce((sum, { length }) => sum + length, 0) * width);
    const sequences = windows.flat();
    const failed = await this.#session.run(sequences, (result, positions) => {
      positions.forEach((position, row) => {
        vectors.set(result.values.subarray(row * width, (row + 1) * width), position * width);
      });
    });
    const failures: TextFailure[] = [];
    const averaged: number[] = [];
    const values = new Float32Array(texts.length * width);
    let first = 0;
    windows.forEach((parts, position) => {
      const end = first + parts.length;
      const failure = failed.find((of) => of.position >= first && of.position < end);
      if (parts.length > 1) averaged.push(position);
      if (failure) failures.push({ ...failure, position });
      else {
        const mean = meanVector(vectors, first, parts, width);
        if (parts.length > 1 && isNormalised) normalise(mean);
        values.set(mean, position * width);
      }
      first = end;
    });
    return { values, truncated: truncatedPositions(windows.map(([sequence]) => sequence)), averaged, failures };
  }

  #windows(text: string, inputType: InputType): [TokenSequence, ...TokenSequence[]] {
    const { entry } = this.#session.model;
    if (this.#longText === "truncate" || inputType === "query")
      return [this.#tokenizer.encode(inputText(entry, inputType, text), entry.maxTokens)];
    return this.#tokenizer.encodeWindows(entry.prefixes.passage, text, entry.maxTokens);
  }
}

/** The mean of the vectors of a text's parts, each weighing as much as it has tokens; of one part its very bits. */
function meanVector(
  vectors: Float32Array,
  first: number,
  parts: readonly TokenSequence[],
  width: number,
): Float32Array {
  if (parts.length === 1) return vectors.slice(first * width, (first + 1) * width);
  const sums = new Float64Array(width);
  let tokens = 0;
  parts.forEach(({ ids }, i) => {
    tokens += ids.length;
    for (let at = 0; at < width; at++)
      sums[at] = (sums[at] ?? 0) + ids.length * (vectors[(first + i) * width + at] ?? 0);
  });
  return Float32Array.from(sums, (sum) => sum / tokens);
}
