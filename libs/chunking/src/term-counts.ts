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
  const lower = text.toLowerCase();
  // Classes of Unicode cost several times what those of ASCII do.
  const word = isAscii(lower) ? /[a-z0-9]{3,64}/g : /[\p{L}\p{N}]{3,64}/gu;
  for (const term of lower.match(word) ?? []) {
    counts.set(term, (counts.get(term) ?? 0) + 1);
    total++;
  }
  // Most terms come once, and these are in order already.
  const repeated: [string, number][] = [];
  const single: [string, number][] = [];
  for (const entry of counts) {
    if (entry[1] > 1) repeated.push(entry);
    else if (single.length < topTermCount) single.push(entry);
  }
  repeated.sort(([, a], [, b]) => b - a);
  const top = [...repeated, ...single].slice(0, topTermCount);
  return { top, unique: counts.size, total };
}

function isAscii(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) > 127) return false;
  return true;
}
