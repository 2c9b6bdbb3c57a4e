/** Where a chunk stands among the sections of its document. */
export interface SectionPlace {
  /** The chunk's document, as its metadata names it. */
  readonly document: string;
  /** Titles from the outermost section down to the chunk's own; empty where it stands in none. */
  readonly section: readonly string[];
}

/** Names a section: that of the first `depth` titles. */
const keyOf = ({ document, section }: SectionPlace, depth: number): string =>
  JSON.stringify([document, ...section.slice(0, depth)]);

/** Whether two chunks stand in the same section. */
export function isSameSection(a: SectionPlace, b: SectionPlace): boolean {
  return a.section.length > 0 && keyOf(a, a.section.length) === keyOf(b, b.section.length);
}

/**
 * Finds the chunks of the sections that some chunks stand in, their subsections included: what a person who asks for a
 * section by its title may be shown. Memory is that of the sections asked for and their rows.
 */
export class SectionChunks {
  readonly #rows = new Map<string, Set<number>>();

  /** Asks for the section of a place; all of them before the first call of `add`. */
  ask(place: SectionPlace): void {
    if (place.section.length > 0) this.#rows.set(keyOf(place, place.section.length), new Set());
  }

  /** Whether any section was asked for. */
  get isAsked(): boolean {
    return this.#rows.size > 0;
  }

  /** Looks at one chunk. */
  add(row: number, place: SectionPlace): void {
    for (let depth = 1; depth <= place.section.length; depth++) this.#rows.get(keyOf(place, depth))?.add(row);
  }

  /** The rows of the chunks in a section that was asked for; none of a place that stands in no section. */
  rowsOf(place: SectionPlace): ReadonlySet<number> {
    return this.#rows.get(keyOf(place, place.section.length)) ?? new Set();
  }
}
