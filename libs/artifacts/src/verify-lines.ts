import type { HashedReader } from "./hashed-reader.js";
import { ScanError } from "./json-scanner.js";
import type { VerifyProblems } from "./verify-problems.js";

/** Reads a JSONL file line by line, each line through a function that may throw ScanError. */
export class VerifiedLines {
  readonly file: string;
  rows = 0;
  readonly #reader: HashedReader;
  readonly #problems: VerifyProblems;

  constructor(file: string, reader: HashedReader, problems: VerifyProblems) {
    this.file = file;
    this.#reader = reader;
    this.#problems = problems;
  }

  /** Goes to the next line. Returns "damaged" for one that `read` refuses, and "end" after the last. */
  async next(read: (line: Buffer) => void): Promise<"read" | "damaged" | "end"> {
    const line = await this.#reader.line();
    if (!line) return "end";
    const row = this.rows++;
    if (this.#reader.lastLineIsCut) {
      this.#problems.add(this.file, "format", "is cut short: its last line has no end", row);
      return "damaged";
    }
    try {
      read(line);
      return "read";
    } catch (error) {
      if (!(error instanceof ScanError)) throw error;
      this.#problems.add(this.file, "format", `is damaged: the line ${error.message}`, row);
      return "damaged";
    }
  }
}
