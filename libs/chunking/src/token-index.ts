/** How the target model counts. */
export interface TokenCounter {
  /** Tokens of a text, special ones and the passage prefix included. */
  readonly countTokens: (text: string) => number;
  /**
   * Whether no token reaches across spaces, tabs and line breaks, so that a text has as many tokens as its words.
   * Each word is then counted once, and a chunk's tokens are a sum.
   * @default false
   */
  readonly separable?: boolean;
  /** Parts a word into pieces that together have its tokens, so that more is counted once. @default words stay whole */
  readonly piecesOf?: (word: string) => readonly string[];
}

/** Longer runs without white space are counted in pieces: some tokenizers take time that grows with their square. */
const maxWordLength = 256;
/** Longer words hardly ever come again. */
const maxCachedLength = 256;
const maxCachedWords = 100_000;

/** Words and their tokens; one for all documents of a run, since the tokenizer is what chunking costs. */
export class WordTokens {
  /** Tokens of the empty text: special ones and the prefix. */
  readonly overhead: number;
  readonly separable: boolean;
  readonly #countTokens: (text: string) => number;
  readonly #piecesOf: ((word: string) => readonly string[]) | undefined;
  #known = new Map<string, number>();

  constructor({ countTokens, separable = false, piecesOf }: TokenCounter) {
    this.#countTokens = countTokens;
    this.#piecesOf = separable ? piecesOf : undefined;
    this.separable = separable;
    this.overhead = countTokens("");
  }

  /** Tokens of a text with special ones and prefix, as the model counts them. */
  exact(text: string): number {
    return this.#countTokens(text);
  }

  /** Tokens of a text without special ones and prefix. */
  count(text: string): number {
    if (text.length > maxCachedLength) return Math.max(0, this.#countTokens(text) - this.overhead);
    return this.#known.get(text) ?? this.#learn(text, this.#countPieces(text));
  }

  #countPieces(text: string): number {
    const pieces = this.#piecesOf?.(text) ?? [text];
    if (pieces.length === 1) return this.#countTokens(text) - this.overhead;
    let tokens = 0;
    for (const piece of pieces)
      tokens += this.#known.get(piece) ?? this.#learn(piece, this.#countTokens(piece) - this.overhead);
    return tokens;
  }

  #learn(text: string, tokens: number): number {
    if (this.#known.size >= maxCachedWords) this.#known = new Map();
    this.#known.set(text, Math.max(0, tokens));
    return Math.max(0, tokens);
  }
}

/**
 * The tokens of any span of one text, after a single pass over its words. A word is a run without spaces, tabs and line
 * breaks, with the white space before it. Sums of words are the model's own count where the tokenizer is separable, else
 * an estimate that the chunker checks.
 */
export class TokenIndex {
  readonly #text: string;
  readonly #words: WordTokens;
  /** Where the words begin, the white space before them left out where it costs nothing, and where they end. */
  readonly #starts: Uint32Array;
  readonly #ends: Uint32Array;
  readonly #count: number;
  /** Tokens up to the end of each word, of the first `#counted` of them: a text that is not asked for is not counted. */
  readonly #sums: Uint32Array;
  #counted = 0;
  /** Whether a word is a piece of a longer run, so that its tokens are an estimate. */
  readonly #pieces = new Set<number>();

  constructor(text: string, words: WordTokens) {
    this.#text = text;
    this.#words = words;
    const bounds = new Bounds(text.length >> 3);
    for (let at = 0; at < text.length; ) {
      let start = at;
      while (start < text.length && isSeparator(text.charCodeAt(start))) start++;
      if (start === text.length && words.separable) break;
      let end = start;
      while (end < text.length && !isSeparator(text.charCodeAt(end))) end++;
      // Where white space may cost tokens, a long run of it is counted in pieces as well.
      let from = words.separable ? start : at;
      while (end - from > maxWordLength) {
        const to = behindPair(text, from + maxWordLength);
        this.#pieces.add(bounds.count);
        this.#pieces.add(bounds.count + 1);
        bounds.add(from, to);
        from = to;
      }
      if (end > from) bounds.add(from, end);
      at = end;
    }
    this.#starts = bounds.starts;
    this.#ends = bounds.ends;
    this.#count = bounds.count;
    this.#sums = new Uint32Array(bounds.count);
  }

  /** Tokens of `text.slice(start, end)` without special ones and prefix. */
  tokens(start: number, end: number): number {
    if (end <= start) return 0;
    const first = this.#wordAt(start);
    const last = this.#wordAt(end - 1);
    if (first >= this.#count) return 0;
    const startsInside = start > this.#start(first);
    const endsInside = last < this.#count && end < this.#end(last);
    if (first === last && (startsInside || endsInside)) return this.#part(start, end);
    const whole =
      this.#sum(endsInside || last >= this.#count ? last - 1 : last) - this.#sum(startsInside ? first : first - 1);
    const head = startsInside ? this.#part(start, this.#end(first)) : 0;
    const tail = endsInside ? this.#part(this.#start(last), end) : 0;
    return whole + head + tail;
  }

  /** Whether `tokens` is the model's own count of a span rather than an estimate. */
  isExact(start: number, end: number): boolean {
    if (!this.#words.separable) return false;
    if (this.#pieces.size === 0 || end <= start) return true;
    for (let word = this.#wordAt(start); word < this.#count && this.#end(word - 1) < end; word++) {
      if (this.#pieces.has(word)) return false;
    }
    return true;
  }

  /** The end of the last word in `text.slice(start, end)` up to which there are at most `limit` tokens; `start` when none is. */
  reach(start: number, end: number, limit: number): number {
    let low = this.#wordAt(start);
    let high = Math.min(this.#count - 1, this.#wordAt(end));
    let reached = start;
    while (low <= high) {
      const middle = (low + high) >> 1;
      const to = this.#end(middle);
      if (to <= end && this.tokens(start, to) <= limit) {
        reached = Math.max(reached, to);
        low = middle + 1;
      } else high = middle - 1;
    }
    return reached;
  }

  /** Tokens up to the end of a word. */
  #sum(word: number): number {
    if (word < 0) return 0;
    let sum = this.#counted === 0 ? 0 : (this.#sums[this.#counted - 1] ?? 0);
    for (; this.#counted <= word; this.#counted++) {
      sum += this.#words.count(this.#text.slice(this.#start(this.#counted), this.#end(this.#counted)));
      this.#sums[this.#counted] = sum;
    }
    return this.#sums[word] ?? 0;
  }

  /** Tokens of a part of a word. */
  #part(start: number, end: number): number {
    let from = start;
    if (this.#words.separable) while (from < end && isSeparator(this.#text.charCodeAt(from))) from++;
    return from >= end ? 0 : this.#words.count(this.#text.slice(from, end));
  }

  #start(word: number): number {
    return this.#starts[word] ?? 0;
  }

  #end(word: number): number {
    return word < 0 ? 0 : (this.#ends[word] ?? 0);
  }

  /** The word that holds the code unit at an offset, or the white space before it; `count` behind the last. */
  #wordAt(offset: number): number {
    let low = 0;
    let high = this.#count;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#ends[middle] ?? 0) > offset) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}

/** Starts and ends of words, in arrays that grow. */
class Bounds {
  count = 0;
  starts: Uint32Array;
  ends: Uint32Array;

  constructor(capacity: number) {
    this.starts = new Uint32Array(Math.max(16, capacity));
    this.ends = new Uint32Array(Math.max(16, capacity));
  }

  add(start: number, end: number): void {
    if (this.count === this.ends.length) {
      this.starts = doubled(this.starts);
      this.ends = doubled(this.ends);
    }
    this.starts[this.count] = start;
    this.ends[this.count++] = end;
  }
}

function doubled(array: Uint32Array): Uint32Array {
  const grown = new Uint32Array(array.length * 2);
  grown.set(array);
  return grown;
}

function isSeparator(code: number): boolean {
  return code === 32 || code === 10 || code === 9 || code === 13;
}

/** The offset, or the next one where it would part a surrogate pair. */
function behindPair(text: string, at: number): number {
  const high = text.charCodeAt(at - 1);
  const low = text.charCodeAt(at);
  return high >= 0xd800 && high <= 0xdbff && low >= 0xdc00 && low <= 0xdfff ? at + 1 : at;
}
