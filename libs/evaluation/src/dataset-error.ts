/** A data set, run file or judgement file cannot be used; the message says where and why. */
export class DatasetError extends Error {
  /** Line of the fault, from 1; absent when it is about the whole file or directory. */
  readonly line: number | undefined;

  constructor(path: string, line: number | undefined, problem: string, options?: ErrorOptions) {
    super(`${path}${line === undefined ? "" : `, line ${line}`}: ${problem}`, options);
    this.name = "DatasetError";
    this.line = line;
  }
}

/** Something in a file that does no harm to the rest: it was passed over and counted. */
export interface DatasetWarning {
  /** What it is, as a stable name such as "duplicate-run-line". */
  readonly kind: string;
  readonly count: number;
  /** What was found, what became of it, and where it was first. */
  readonly detail: string;
}

/** Counts warnings by kind, and remembers where each was first. */
export class WarningCounter {
  readonly #found = new Map<string, { count: number; first: string; sentence: string }>();

  /**
   * @param kind stable name.
   * @param sentence what was found and what became of it, with "N" for the count.
   * @param where the place, told of the first alone.
   */
  add(kind: string, sentence: string, where: string): void {
    const seen = this.#found.get(kind);
    if (seen === undefined) this.#found.set(kind, { count: 1, first: where, sentence });
    else seen.count++;
  }

  /** One warning for each kind, in the order of their first occurrence. */
  get warnings(): DatasetWarning[] {
    return Array.from(this.#found, ([kind, { count, first, sentence }]) => ({
      kind,
      count,
      detail: `${sentence.replace("N", String(count))} (first: ${first})`,
    }));
  }
}
