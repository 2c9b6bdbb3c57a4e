import { readFile } from "node:fs/promises";
import { stemWord, termId } from "@ragline/lexical";
import { inputText } from "@ragline/models";
import { type TextTokenizer, type TokenSequence, truncatedPositions } from "@ragline/tokenizer";
import type { SparseVector } from "@ragline/vectors";
import type { InputType } from "./dense-encoder.js";
import type { ModelSession } from "./model-session.js";
import type { SparseResult, SparseTextEncoder } from "./sparse-encoder.js";

// Importance grows slower than attention. Source: `alpha` of fastembed/sparse/bm42.py.
const exponent = 0.5;
const punctuation = new Set("!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~");

interface Word {
  readonly text: string;
  /** Places of its tokens in the sequence. */
  readonly places: number[];
}

/**
 * Encodes texts by the attention that a model pays to their words: BM42, as Qdrant defines it for
 * `Qdrant/all_miniLM_L6_v2_with_attentions`. Tokens are put together to words, stop words and punctuation left out, the
 * rest stemmed by Snowball English; a stem weighs log(1 + a)^0.5, a being the most attention that one of its words gets from
 * the first token. Dimensions are hashes as in BM25, queries weigh 1 for each stem, and the index needs the modifier "idf".
 */
export class AttentionEncoder implements SparseTextEncoder {
  readonly #session: ModelSession;
  readonly #tokenizer: TextTokenizer;
  readonly #stopWords: Promise<ReadonlySet<string>>;
  readonly #stems = new Map<number, string>();

  constructor(session: ModelSession, tokenizer: TextTokenizer) {
    this.#session = session;
    this.#tokenizer = tokenizer;
    const { stopWordsPath } = session.model;
    const read = async () => new Set(stopWordsPath ? (await readFile(stopWordsPath, "utf8")).split(/\r?\n/) : []);
    this.#stopWords = read();
    // Told to whoever encodes.
    this.#stopWords.catch(() => undefined);
  }

  async encode(texts: readonly string[], inputType: InputType): Promise<SparseResult> {
    const { entry } = this.#session.model;
    const stopWords = await this.#stopWords;
    const sequences = texts.map((text) => this.#tokenizer.encode(inputText(entry, inputType, text), entry.maxTokens));
    const truncated = truncatedPositions(sequences);
    const words = sequences.map((sequence) =>
      this.#words(sequence).filter(({ text }) => !stopWords.has(text) && !punctuation.has(text)),
    );
    if (inputType === "query") return { rows: words.map((of) => this.#vector(of, () => 1)), truncated, failures: [] };
    const rows = new Array<SparseVector>(texts.length);
    const failures = await this.#session.run(sequences, (result, positions) => {
      const columns = result.values.length / positions.length;
      positions.forEach((position, row) => {
        const attention = result.values.subarray(row * columns, (row + 1) * columns);
        const paid = ({ places }: Word) => places.reduce((sum, place) => sum + (attention[place] ?? 0), 0);
        rows[position] = this.#vector(words[position] ?? [], (word) => Math.log(1 + paid(word)) ** exponent);
      });
    });
    for (const { position } of failures) rows[position] = { indices: new Uint32Array(), values: new Float32Array() };
    return { rows, truncated, failures };
  }

  token(index: number): string {
    return this.#stems.get(index) ?? "";
  }

  #words({ ids }: TokenSequence): Word[] {
    const words: Word[] = [];
    ids.forEach((id, place) => {
      if (this.#tokenizer.isSpecial(id)) return;
      const token = this.#tokenizer.token(id);
      const last = words.at(-1);
      if (token.startsWith("##")) {
        const rest = token.slice(2);
        if (last) words[words.length - 1] = { text: last.text + rest, places: [...last.places, place] };
        else words.push({ text: rest, places: [place] });
      } else words.push({ text: token, places: [place] });
    });
    return words;
  }

  #vector(words: readonly Word[], weigh: (word: Word) => number): SparseVector {
    const weights = new Map<number, number>();
    for (const word of words) {
      const stem = stemWord(word.text);
      const id = termId(stem);
      this.#stems.set(id, stem);
      weights.set(id, Math.max(weights.get(id) ?? 0, weigh(word)));
    }
    const indices = Uint32Array.from(weights.keys()).sort();
    return { indices, values: Float32Array.from(indices, (id) => weights.get(id) ?? 0) };
  }
}
