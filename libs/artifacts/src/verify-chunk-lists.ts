import type { HashedReader } from "./hashed-reader.js";
import { JsonScanner, ScanError } from "./json-scanner.js";
import type { VerifyProblems } from "./verify-problems.js";

const [comma] = Buffer.from(",");

/** Reads `_texts.json` or `_metadata.json`: a JSON list with one element per line. */
export class ChunkList {
  readonly file: string;
  /** The current element as JSON. It holds until the next one. */
  json: Buffer = Buffer.alloc(0);
  rows = 0;
  readonly #scan = new JsonScanner();
  readonly #reader: HashedReader;
  readonly #problems: VerifyProblems;
  #ended = false;

  constructor(file: string, reader: HashedReader, problems: VerifyProblems) {
    this.file = file;
    this.#reader = reader;
    this.#problems = problems;
  }

  /** Goes to the next element. Returns false after the last, and when the list is damaged. */
  async next(): Promise<boolean> {
    if (this.#ended) return false;
    if (this.rows === 0 && !(await this.#take("["))) return this.#damaged('does not begin with a line "["');
    const line = await this.#reader.line();
    if (!line) return this.#damaged("is cut short");
    const hasNext = line[line.length - 1] === comma;
    this.json = hasNext ? line.subarray(0, -1) : line;
    try {
      this.#scan.start(this.json).value();
      this.#scan.expectEnd();
    } catch (error) {
      if (!(error instanceof ScanError)) throw error;
      return this.#damaged(`is damaged: the line ${error.message}`);
    }
    this.rows++;
    if (!hasNext) {
      const json = Buffer.from(this.json);
      await this.#end();
      this.json = json;
    }
    return true;
  }

  /** The current element. */
  get value(): unknown {
    return JSON.parse(this.json.toString());
  }

  async #end(): Promise<void> {
    this.#ended = true;
    if (!(await this.#take("]")) || this.#reader.lastLineIsCut) this.#damaged('does not end with a line "]"');
    else if (await this.#reader.bytes(1)) this.#damaged("goes on after its end");
  }

  async #take(expected: string): Promise<boolean> {
    return (await this.#reader.line())?.toString() === expected;
  }

  #damaged(detail: string): false {
    this.#ended = true;
    this.#problems.add(this.file, "format", detail, this.rows);
    return false;
  }
}
