import type { HashedReader } from "./hashed-reader.js";
import { isUuid } from "./id-table.js";
import { JsonScanner, NumberList, ScanError } from "./json-scanner.js";
import { VerifiedLines } from "./verify-lines.js";
import type { VerifyProblems } from "./verify-problems.js";

const text = (literal: string): Buffer => Buffer.from(literal);
const idKey = text('{"id":');
const vectorKey = text(',"sparse_vector":');
const tokensKey = text(',"tokens":');
const statsKey = text(',"stats":');
const vectorsKey = text(',"sparse_vectors":{');
const indicesKey = text('{"indices":');
const valuesKey = text(',"values":');
const [comma, colon, close, lineEnd] = [text(","), text(":"), text("}"), text("}}")];

/** How far `weight_norm` may be from the Euclidean length of the values, as a share of it. */
const normTolerance = 1e-3;

/** A sparse vector in a line, as JSON. */
export interface SparseJson {
  readonly model: string;
  readonly json: Buffer;
  readonly isEmpty: boolean;
}

interface ReadVector {
  readonly json: Buffer;
  /** Entries. */
  readonly length: number;
  /** Euclidean length. */
  readonly norm: number;
  /** -1 for a vector without entries. */
  readonly lastIndex: number;
}

/** Reads `_sparse.jsonl` and checks every vector: indices increase and are in range, values are finite. */
export class SparseRows {
  readonly lines: VerifiedLines;
  /** What the current line holds, until the next one; undefined when the line is damaged. */
  row: { id: string; primary: Buffer; tokens: Buffer; stats: Buffer; vectors: readonly SparseJson[] } | undefined;
  /** Names of the models, as in the first line. */
  models: readonly string[] | undefined;
  /** By model, how many chunks have a vector that is not empty. */
  readonly available = new Map<string, number>();
  readonly #problems: VerifyProblems;
  readonly #vocabularySize: (model: string) => number | undefined;
  readonly #scan = new JsonScanner();
  readonly #indices = new NumberList();
  readonly #values = new NumberList();

  constructor(
    file: string,
    reader: HashedReader,
    problems: VerifyProblems,
    vocabularySize: (model: string) => number | undefined,
  ) {
    this.lines = new VerifiedLines(file, reader, problems);
    this.#problems = problems;
    this.#vocabularySize = vocabularySize;
  }

  /** Goes to the next line. Returns false after the last. */
  async next(): Promise<boolean> {
    this.row = undefined;
    return (await this.lines.next((line) => this.#read(line))) !== "end";
  }

  #read(line: Buffer): void {
    const scan = this.#scan.start(line);
    const { file, rows } = this.lines;
    const differs = (detail: string): void => this.#problems.add(file, "mismatch", detail, rows - 1);
    scan.expect(idKey);
    const id = scan.text();
    if (!isUuid(id)) throw new ScanError("has an id that is not a UUID");
    scan.expect(vectorKey);
    const primary = this.#readVector(undefined);
    scan.expect(tokensKey);
    const tokensAt = scan.at;
    const tokenCount = scan.list();
    const tokens = line.subarray(tokensAt, scan.at);
    if (tokenCount !== 0 && tokenCount !== primary.length)
      differs(`has ${tokenCount} tokens for ${primary.length} indices`);
    scan.expect(statsKey);
    const stats = scan.value();
    const { weight_norm: norm, unique_terms: terms } = JSON.parse(stats.toString()) as Record<string, unknown>;
    if (terms !== primary.length || !(Math.abs(Number(norm) - primary.norm) <= normTolerance * primary.norm))
      differs("has stats that are not those of its vector");
    scan.expect(vectorsKey);
    const vectors: SparseJson[] = [];
    while (!scan.take(lineEnd)) {
      if (vectors.length > 0) scan.expect(comma);
      const model = scan.text();
      scan.expect(colon);
      vectors.push(this.#readModelVector(model, vectors.length === 0 ? primary : undefined, differs));
    }
    scan.expectEnd();
    const models = vectors.map(({ model }) => model);
    this.models ??= models;
    if (models.join("\n") !== this.models.join("\n"))
      differs(`has the models ${models.join(", ")}, the first line others`);
    this.row = { id, primary: primary.json, tokens, stats, vectors };
  }

  /** A model's vector. The first model's stands in the line twice and is read once. */
  #readModelVector(model: string, primary: ReadVector | undefined, differs: (detail: string) => void): SparseJson {
    let vector = primary;
    if (!primary || !this.#scan.take(primary.json)) {
      if (primary) differs("tells two vectors of the first model");
      vector = this.#readVector(model);
    } else this.#checkIndices(model, primary.lastIndex);
    const { json = Buffer.alloc(0), length = 0 } = vector ?? {};
    if (length > 0) this.available.set(model, (this.available.get(model) ?? 0) + 1);
    return { model, json, isEmpty: length === 0 };
  }

  /** Reads and checks one vector: indices increase, values are finite. */
  #readVector(model: string | undefined): ReadVector {
    const scan = this.#scan;
    const start = scan.at;
    scan.expect(indicesKey);
    scan.numbers(this.#indices);
    scan.expect(valuesKey);
    scan.numbers(this.#values);
    scan.expect(close);
    const { values: indices, length } = this.#indices;
    const { values } = this.#values;
    if (this.#values.length !== length)
      this.#wrong(model, `there are ${length} indices, but ${this.#values.length} values`);
    let squares = 0;
    let last = -1;
    for (let i = 0; i < length; i++) {
      const index = indices[i] ?? Number.NaN;
      const value = values[i] ?? Number.NaN;
      if (!(index > last) || !Number.isInteger(index)) {
        this.#wrong(model, `index ${index} comes after ${last}; indices must be integers and increase`);
        break;
      }
      last = index;
      squares += value * value;
    }
    if (!Number.isFinite(squares)) this.#wrong(model, "a value is not a finite number");
    if (model !== undefined) this.#checkIndices(model, last);
    return { json: scan.bytes.subarray(start, scan.at), length, norm: Math.sqrt(squares), lastIndex: last };
  }

  /** Since indices increase, the last one tells whether all are within the vocabulary. */
  #checkIndices(model: string, lastIndex: number): void {
    const limit = this.#vocabularySize(model) ?? 2 ** 32;
    if (lastIndex >= limit) this.#wrong(model, `index ${lastIndex} is not below ${limit}, the size of the vocabulary`);
  }

  #wrong(model: string | undefined, detail: string): void {
    this.#problems.add(this.lines.file, "value", `${model ?? "the first model"}: ${detail}`, this.lines.rows - 1);
  }
}
