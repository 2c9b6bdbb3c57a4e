import { createHash } from "node:crypto";
import { words } from "../plain-text.js";

/** Chunks whose shingles have at least this Jaccard similarity say the same. */
export const nearDuplicateSimilarity = 0.8;

const wordsPerShingle = 3;

/** A text as it is compared: its words in lower case; punctuation, markup and white space do not matter. */
export function comparedWords(text: string): string[] {
  return words(text.toLowerCase());
}

/** A number of 53 bits that texts have in common when their compared words are the same. */
export function textKey(compared: readonly string[]): number {
  const digest = createHash("sha1").update(compared.join(" ")).digest();
  return digest.readUIntBE(0, 6) * 32 + (digest.readUInt8(6) >> 3);
}

/** 32 bits of FNV-1a over the UTF-16 code units of some words. */
function shingleHash(compared: readonly string[], from: number): number {
  let hash = 0x811c9dc5;
  const end = Math.min(from + wordsPerShingle, compared.length);
  for (let at = from; at < end; at++) {
    const word = compared[at] as string;
    for (let i = 0; i < word.length; i++) hash = Math.imul(hash ^ word.charCodeAt(i), 0x01000193);
    hash = Math.imul(hash ^ 0x20, 0x01000193);
  }
  return hash;
}

/** The runs of three words of a text, hashed; a shorter text is one shingle, one without words has none. */
function shinglesOf(compared: readonly string[]): Set<number> {
  const shingles = new Set<number>();
  const last = Math.max(0, compared.length - wordsPerShingle);
  for (let from = 0; from <= last && from < compared.length; from++) shingles.add(shingleHash(compared, from));
  return shingles;
}

/**
 * Finds the chunks that say the same as the answers of some queries: those whose sets of word triples have a Jaccard
 * similarity of {@link nearDuplicateSimilarity} or more with an answer's (Broder, "On the resemblance and containment of
 * documents", 1997; compared exactly, not by a sketch). It goes by texts alone, since vectors are what is audited. Memory is
 * that of the answers and the rows that were found.
 */
export class NearDuplicates {
  readonly #sizes: number[] = [];
  readonly #holders = new Map<number, number[]>();
  readonly #rows: Set<number>[] = [];
  readonly #positions = new Map<number, number>();

  /** Adds an answer; each row once, all of them before the first call of `compare`. */
  addAnswer(row: number, compared: readonly string[]): void {
    const position = this.#sizes.length;
    const shingles = shinglesOf(compared);
    this.#positions.set(row, position);
    this.#sizes.push(shingles.size);
    this.#rows.push(new Set([row]));
    for (const shingle of shingles) {
      const holders = this.#holders.get(shingle);
      if (holders === undefined) this.#holders.set(shingle, [position]);
      else holders.push(position);
    }
  }

  /** Compares a chunk with all answers. */
  compare(row: number, compared: readonly string[]): void {
    const shingles = shinglesOf(compared);
    const shared = new Map<number, number>();
    for (const shingle of shingles)
      for (const position of this.#holders.get(shingle) ?? []) shared.set(position, (shared.get(position) ?? 0) + 1);
    for (const [position, count] of shared) {
      const together = shingles.size + (this.#sizes[position] as number) - count;
      if (count >= nearDuplicateSimilarity * together) (this.#rows[position] as Set<number>).add(row);
    }
  }

  /** The rows that are right where this answer is, itself among them. */
  rowsOf(answer: number): ReadonlySet<number> {
    const position = this.#positions.get(answer);
    return (position === undefined ? undefined : this.#rows[position]) ?? new Set([answer]);
  }
}
