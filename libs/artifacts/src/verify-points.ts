import { isDeepStrictEqual } from "node:util";
import type { HashedReader } from "./hashed-reader.js";
import { isUuid } from "./id-table.js";
import { JsonScanner, NumberList, ScanError } from "./json-scanner.js";
import { type PayloadContext, pointPayload } from "./qdrant-jsonl.js";
import type { ChunkList } from "./verify-chunk-lists.js";
import type { DenseRows } from "./verify-dense.js";
import { VerifiedLines } from "./verify-lines.js";
import type { VerifyProblems } from "./verify-problems.js";
import type { SparseRows } from "./verify-sparse.js";

const text = (literal: string): Buffer => Buffer.from(literal);
const idKey = text('{"id":');
const vectorKey = text(',"vector":{');
const payloadKey = text(',"payload":');
const payloadSparseKey = text(',"sparse_vector":');
const tokensKey = text(',"tokens":');
const statsKey = text(',"stats":');
const [comma, colon, close, end] = [text(","), text(":"), text("}"), text("}}")];

/** The other files' rows of the same chunk; what is missing there is not compared. */
export interface PointParts {
  readonly dense: readonly DenseRows[];
  readonly sparse: SparseRows["row"];
  readonly text: string | undefined;
  readonly metadata: ChunkList | undefined;
}

/** Reads `_qdrant.jsonl` and compares every point with the other files: vectors bit for bit, payload by value. */
export class PointRows {
  readonly lines: VerifiedLines;
  /** Id of the current point; undefined when the line is damaged. */
  id: string | undefined;
  readonly #problems: VerifyProblems;
  readonly #context: PayloadContext;
  readonly #scan = new JsonScanner();
  readonly #values = new NumberList();

  constructor(file: string, reader: HashedReader, problems: VerifyProblems, context: PayloadContext) {
    this.lines = new VerifiedLines(file, reader, problems);
    this.#problems = problems;
    this.#context = context;
  }

  /** Goes to the next point and compares it. Returns false after the last. */
  async next(parts: PointParts): Promise<boolean> {
    this.id = undefined;
    return (await this.lines.next((line) => this.#read(line, parts))) !== "end";
  }

  #differs(detail: string): void {
    this.#problems.add(this.lines.file, "mismatch", detail, this.lines.rows - 1);
  }

  #read(line: Buffer, parts: PointParts): void {
    const scan = this.#scan.start(line);
    scan.expect(idKey);
    const id = scan.text();
    if (!isUuid(id)) throw new ScanError("has an id that is not a UUID");
    scan.expect(vectorKey);
    this.#readVectors(parts);
    scan.expect(payloadKey);
    const payloadAt = scan.at;
    if (!this.#isUsualPayload(parts)) {
      scan.at = payloadAt;
      this.#comparePayload(scan.value(), parts);
    }
    scan.expect(close);
    scan.expectEnd();
    this.id = id;
  }

  /** The named vectors: every dense one, and the sparse ones that are not empty. */
  #readVectors({ dense, sparse }: PointParts): void {
    const scan = this.#scan;
    const seen = new Set<string>();
    while (!scan.take(close)) {
      if (seen.size > 0) scan.expect(comma);
      const name = scan.text();
      if (seen.has(name)) this.#differs(`has the vector ${name} twice`);
      seen.add(name);
      scan.expect(colon);
      const rows = dense.find((one) => one.name === name);
      const vector = sparse?.vectors.find(({ model }) => model === name);
      if (rows) this.#compareDense(rows);
      else if (vector === undefined || !scan.take(vector.json)) {
        if (vector) this.#differs(`has another vector of ${name} than the sparse file`);
        else if (this.#isUnknown(name, sparse))
          this.#differs(`has a vector ${name}, which is not one of the run's models`);
        scan.value();
      }
    }
    for (const { name } of this.#context.dense) if (!seen.has(name)) this.#differs(`has no vector of ${name}`);
    for (const { model, isEmpty } of sparse?.vectors ?? [])
      if (!isEmpty && !seen.has(model)) this.#differs(`has no vector of ${model}, but the sparse file has`);
  }

  /** Where a file is missing or a line of it damaged, there is nothing to tell a name by. */
  #isUnknown(name: string, sparse: PointParts["sparse"]): boolean {
    const { dense } = this.#context;
    if (dense.length === 0 || dense.some((one) => one.name === name)) return false;
    return sparse !== undefined || !this.#context.sparse;
  }

  #compareDense({ name, values, file }: DenseRows): void {
    this.#scan.numbers(this.#values);
    const { values: read, length } = this.#values;
    if (length !== values.length) {
      this.#differs(`has ${length} values of ${name}, but ${file} has ${values.length}`);
      return;
    }
    for (let i = 0; i < length; i++) {
      const value = Math.fround(read[i] ?? Number.NaN);
      if (value === values[i] && (value !== 0 || Object.is(value, values[i]))) continue;
      this.#differs(`has another vector of ${name} than ${file}: value ${i} is ${read[i]}, not ${values[i]}`);
      return;
    }
  }

  /**
   * Whether the payload is, byte for byte, what a run writes where no key of the metadata is also one of Ragline's: the
   * metadata file's line, Ragline's keys, the sparse file's vector. That spares parsing most of the file a second time.
   */
  #isUsualPayload({ text: chunkText, metadata, sparse }: PointParts): boolean {
    const scan = this.#scan;
    if (chunkText === undefined || metadata === undefined) return false;
    if (this.#context.sparse && sparse === undefined) return false;
    const ours = Buffer.from(JSON.stringify(pointPayload({}, chunkText, this.#context)));
    if (!scan.take(metadata.json.subarray(0, -1))) return false;
    if (metadata.json.length > 2 && !scan.take(comma)) return false;
    if (!scan.take(ours.subarray(1, -1))) return false;
    if (sparse === undefined) return scan.take(close);
    return (
      scan.take(payloadSparseKey) &&
      scan.take(sparse.primary.subarray(0, -1)) &&
      scan.take(tokensKey) &&
      scan.take(sparse.tokens) &&
      scan.take(statsKey) &&
      scan.take(sparse.stats) &&
      scan.take(end)
    );
  }

  /** By value: every key that a payload must have is there; others may stand beside them. */
  #comparePayload(json: Buffer, { text: chunkText, metadata, sparse }: PointParts): void {
    let payload: Record<string, unknown>;
    try {
      payload = JSON.parse(json.toString()) as Record<string, unknown>;
    } catch {
      throw new ScanError("has a payload that is not JSON");
    }
    if (chunkText === undefined || metadata === undefined) return;
    const expected = pointPayload(metadata.value as Record<string, unknown>, chunkText, this.#context);
    if (sparse !== undefined) {
      const vector = JSON.parse(sparse.primary.toString()) as object;
      const [tokens, stats] = [sparse.tokens, sparse.stats].map((part): unknown => JSON.parse(part.toString()));
      expected["sparse_vector"] = { ...vector, tokens, stats };
    }
    // Without the stats file the models are not known.
    if (this.#context.dense.length === 0)
      for (const key of ["model_info", "primary_vector_name", "dense_vector_names"]) delete expected[key];
    const other = Object.keys(expected).find((key) => !isDeepStrictEqual(payload[key], expected[key]));
    if (other !== undefined) this.#differs(`has another "${other}" in its payload than the other files`);
  }
}
