/** A section of a document. */
export interface SectionPlace {
  /** As the metadata of its chunks names the document. */
  readonly document: string;
  /** Titles from the outermost section down to its own; empty where there are none. */
  readonly section: readonly string[];
}

/** Names a section: that of the first `depth` titles. */
const keyOf = (document: string, section: readonly string[], depth = section.length): string =>
  JSON.stringify([document, ...section.slice(0, depth)]);

/** Whether two places are one section. */
export function isSameSection(a: SectionPlace, b: SectionPlace): boolean {
  return a.section.length > 0 && keyOf(a.document, a.section) === keyOf(b.document, b.section);
}

/**
 * Finds the chunks that have parts of some sections, their subsections included: what a person who asks for a section by
 * its title may be shown. Memory is that of the sections asked for and their rows.
 */
export class SectionChunks {
  readonly #rows = new Map<string, Set<number>>();

  /** Asks for a section; all of them before the first call of `add`. */
  ask({ document, section }: SectionPlace): void {
    if (section.length > 0) this.#rows.set(keyOf(document, section), new Set());
  }

  /** Whether any section was asked for. */
  get isAsked(): boolean {
    return this.#rows.size > 0;
  }

  /** Looks at one chunk. @param sections those that it has parts of. */
  add(row: number, document: string, sections: readonly (readonly string[])[]): void {
    for (const section of sections)
      for (let depth = 1; depth <= section.length; depth++) this.#rows.get(keyOf(document, section, depth))?.add(row);
  }

  /** The rows of the chunks of a section that was asked for; none where there are no titles. */
  rowsOf({ document, section }: SectionPlace): ReadonlySet<number> {
    return this.#rows.get(keyOf(document, section)) ?? new Set();
  }
}
