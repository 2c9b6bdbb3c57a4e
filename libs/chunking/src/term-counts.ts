/** How often words come in a text. */
export interface TermCounts {
  /** The most frequent first, equally frequent ones in order of appearance. */
  readonly top: readonly (readonly [term: string, count: number])[];
  readonly unique: number;
  readonly total: number;
}

const topTermCount = 20;

/** Counts the words of 3 to 64 letters or digits, in lower case. */
export function countTerms(text: string): TermCounts {
  const counts = new Map<string, number>();
  let total = 0;
  for (const word of text.toLowerCase().match(/[\p{L}\p{N}]{3,64}/gu) ?? []) {
    counts.set(word, (counts.get(word) ?? 0) + 1);
    total++;
  }
  const top = [...counts].sort(([, a], [, b]) => b - a).slice(0, topTermCount);
  return { top, unique: counts.size, total };
}
