import murmurhash from "murmurhash";
import { newStemmer } from "snowball-stemmers";
import { englishStopWords } from "./stop-words.js";

/** A stem and the dimension that stands for it. */
export interface Term {
  readonly stem: string;
  /** Absolute value of the stem's signed murmur3_32, so 0 to 2^31. */
  readonly id: number;
}

/**
 * What Python's `\w` matches, by which fastembed splits: letters, numbers and the underscore. The bound, far above any
 * word that counts, keeps the regular expression from exhausting its stack on one word of many megabytes.
 */
const wordPattern = /[\p{L}\p{N}_]{1,128}/gu;
/** Longer words are blobs rather than language; fastembed drops them too. */
const maxWordCodePoints = 40;
const cacheGenerationSize = 32_768;

const stemmer = newStemmer("english");
const noTerms: readonly Term[] = [];

// Stemming takes far longer than a map lookup. Two generations bound the cache: what was used lately survives in `recent`.
let recent = new Map<string, readonly Term[]>();
let older = new Map<string, readonly Term[]>();

/** The dimension of a stem: |murmur3_32(UTF-8 bytes, seed 0)| with the hash taken as a signed integer, as `mmh3.hash`. */
export function termId(stem: string): number {
  return Math.abs(murmurhash.v3(stem, 0) | 0);
}

/** The Snowball English stem of a lowercase word. */
export function stemWord(word: string): string {
  return stemmer.stem(word);
}

/** Calls `visit` for each term of a text in order, stop words and words of over 40 characters left out. */
export function forEachTerm(text: string, visit: (term: Term) => void): void {
  for (const raw of words(text)) {
    for (const term of termsOf(raw)) visit(term);
  }
}

function* words(text: string): Generator<string> {
  const pattern = new RegExp(wordPattern);
  let end = -1;
  for (let match = pattern.exec(text); match !== null; match = pattern.exec(text)) {
    // A match right behind another is the rest of a word beyond the bound.
    if (match.index !== end) yield match[0];
    end = pattern.lastIndex;
  }
}

function termsOf(raw: string): readonly Term[] {
  // Too long to be a word in any casing, so kept out of the cache as well.
  if (raw.length > 2 * maxWordCodePoints) return noTerms;
  let terms = recent.get(raw);
  if (terms !== undefined) return terms;
  terms = older.get(raw) ?? analyze(raw);
  if (recent.size >= cacheGenerationSize) {
    older = recent;
    recent = new Map();
  }
  recent.set(raw, terms);
  return terms;
}

/** One term for nearly every word; lowercasing can split a word (U+0130 gives "i" and a combining dot). */
function analyze(raw: string): readonly Term[] {
  const terms: Term[] = [];
  for (const word of words(raw.toLowerCase())) {
    if (word === "_" || englishStopWords.has(word) || [...word].length > maxWordCodePoints) continue;
    const stem = stemmer.stem(word);
    if (stem !== "") terms.push({ stem, id: termId(stem) });
  }
  return terms;
}
