/** What is wrong with a file of a run. */
export type VerifyProblemKind =
  /** The manifest lists it, but it is not there, or cannot be read. */
  | "missing"
  /** It is there under a name of the run's, but the manifest does not list it. */
  | "unlisted"
  /** It has another size or SHA-256 than the manifest says. */
  | "hash"
  /** The manifest itself was changed, or cannot be read. */
  | "manifest"
  /** Its bytes are not what the format demands. */
  | "format"
  /** It has too few or too many rows, or a count elsewhere contradicts it. */
  | "count"
  /** An id is not that of its chunk, comes twice, or belongs to no chunk. */
  | "id"
  /** It says something else than another file of the run. */
  | "mismatch"
  /** A number is not finite, a vector not of unit length, an index out of range or out of order. */
  | "value";

/** One thing that is wrong. */
export interface VerifyProblem {
  /** Name in the output directory. */
  readonly file: string;
  readonly kind: VerifyProblemKind;
  /** A phrase that continues the file's name. */
  readonly detail: string;
  /** Row number of the chunk or line, from 0. */
  readonly row?: number;
}

const shownPerKind = 10;

/** Collects problems; of those of one kind in one file the first ten are kept and the others counted. */
export class VerifyProblems {
  readonly #problems: VerifyProblem[] = [];
  readonly #counts = new Map<string, { file: string; kind: VerifyProblemKind; count: number }>();

  add(file: string, kind: VerifyProblemKind, detail: string, row?: number): void {
    const key = `${kind} ${file}`;
    const counted = this.#counts.get(key) ?? { file, kind, count: 0 };
    this.#counts.set(key, counted);
    counted.count++;
    if (counted.count <= shownPerKind)
      this.#problems.push(row === undefined ? { file, kind, detail } : { file, kind, detail, row });
  }

  /** All problems, those that are only counted as one each at the end. */
  list(): VerifyProblem[] {
    const rest = [...this.#counts.values()]
      .filter(({ count }) => count > shownPerKind)
      .map(({ file, kind, count }) => ({
        file,
        kind,
        detail: `has ${count - shownPerKind} more problems of this kind`,
      }));
    return [...this.#problems, ...rest];
  }
}
