/** Why a budget was changed. */
export type ResizeCause = "out_of_memory" | "soft_limit" | "faster" | "not_faster" | "latency";

/** One change of how many padded tokens a call may have. */
export interface Resize {
  readonly cause: ResizeCause;
  readonly fromTokens: number;
  readonly toTokens: number;
}

/** How a {@link TokenBudget} starts. */
export interface TokenBudgetOptions {
  /** Most padded tokens in one call. */
  readonly limitTokens: number;
  /** Padded tokens of the first calls. @default limitTokens */
  readonly startTokens?: number;
  /** Told of each change. @default ignored */
  readonly onResize?: (resize: Resize) => void;
}

// Throughput is compared over so many calls of one size: a single one says little.
const callsPerWindow = 4;
// A call is evidence for its size only if it fills most of the budget.
const filledShare = 0.75;
// Larger calls must be this much faster to be worth their memory.
const worthwhileGain = 1.05;
// A size that ran out of memory is tried again after so many calls, then after twice as many.
const firstPatience = 32;
const maxPatience = 4096;
const keptResizes = 100;

/**
 * How many padded tokens one call of the model may have. It doubles while larger calls are faster, halves when memory
 * runs out or is short, and leaves sizes that failed alone for longer each time.
 */
export class TokenBudget {
  readonly #onResize: ((resize: Resize) => void) | undefined;
  readonly #resizes: Resize[] = [];
  #resizeCount = 0;
  #limit: number;
  #tokens: number;
  /** Below the smallest size that failed lately. */
  #ceiling = Infinity;
  #patience = firstPatience;
  #sinceFailure = 0;
  #window = { calls: 0, tokens: 0, seconds: 0 };
  /** The last smaller size and its speed. */
  #before: { readonly tokens: number; readonly speed: number } | undefined;
  #isSettled = false;
  readonly #startTokens: number;
  /** Whether a call was made: until then a limit is where it starts, not a change. */
  #isUsed = false;

  constructor({ limitTokens, startTokens = limitTokens, onResize }: TokenBudgetOptions) {
    this.#limit = Math.max(1, limitTokens);
    this.#startTokens = startTokens;
    this.#tokens = Math.max(1, Math.min(startTokens, this.#limit));
    this.#onResize = onResize;
  }

  /** Most padded tokens in the next call; a single text gets a call even if it has more. */
  get tokens(): number {
    return this.#tokens;
  }

  /** The latest changes, oldest first, at most 100. */
  get resizes(): readonly Resize[] {
    return this.#resizes;
  }

  /** How often it was changed. */
  get resizeCount(): number {
    return this.#resizeCount;
  }

  /** A call of so many padded tokens took so long. */
  succeeded({ tokens, seconds }: { readonly tokens: number; readonly seconds: number }): void {
    this.#isUsed = true;
    if (++this.#sinceFailure >= this.#patience) {
      this.#ceiling = Infinity;
      this.#isSettled = false;
      this.#sinceFailure = 0;
    }
    if (tokens < filledShare * this.#tokens || tokens > this.#tokens) return;
    this.#window.calls++;
    this.#window.tokens += tokens;
    this.#window.seconds += seconds;
    if (this.#window.calls >= callsPerWindow) this.#judge();
  }

  /** A call of so many padded tokens ran out of memory. */
  outOfMemory(callTokens: number): void {
    this.#isUsed = true;
    this.#ceiling = Math.min(this.#ceiling, Math.max(1, callTokens - 1));
    this.#patience = Math.min(maxPatience, this.#patience * 2);
    this.#sinceFailure = 0;
    this.#set("out_of_memory", Math.min(this.#tokens, Math.floor(callTokens / 2)));
  }

  /** The workers came near to what they were granted. */
  softLimit(): void {
    this.#set("soft_limit", this.#tokens >> 1);
  }

  /** Replies took longer than the caller's target. */
  latency(): void {
    this.#set("latency", this.#tokens >> 1);
  }

  /** Changes what is allowed at most, as when a lease has become smaller. A higher limit is grown into. */
  setLimit(limitTokens: number): void {
    this.#limit = Math.max(1, limitTokens);
    if (!this.#isUsed) this.#tokens = Math.max(1, Math.min(this.#startTokens, this.#limit));
    else if (this.#tokens > this.#limit) this.#set("soft_limit", this.#limit);
  }

  #judge(): void {
    const speed = this.#window.tokens / Math.max(this.#window.seconds, 1e-9);
    const before = this.#before;
    this.#window = { calls: 0, tokens: 0, seconds: 0 };
    if (before && before.tokens < this.#tokens && speed < worthwhileGain * before.speed) {
      this.#isSettled = true;
      this.#set("not_faster", before.tokens);
      return;
    }
    const next = Math.min(this.#limit, this.#ceiling, this.#tokens * 2);
    if (this.#isSettled || next <= this.#tokens) return;
    this.#before = { tokens: this.#tokens, speed };
    this.#set("faster", next);
  }

  #set(cause: ResizeCause, tokens: number): void {
    const toTokens = Math.max(1, Math.min(tokens, this.#limit));
    if (toTokens === this.#tokens) return;
    const resize = { cause, fromTokens: this.#tokens, toTokens };
    this.#tokens = toTokens;
    this.#window = { calls: 0, tokens: 0, seconds: 0 };
    this.#resizeCount++;
    this.#resizes.push(resize);
    if (this.#resizes.length > keptResizes) this.#resizes.shift();
    this.#onResize?.(resize);
  }
}
