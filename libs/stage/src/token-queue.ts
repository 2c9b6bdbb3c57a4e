import { RaglineError } from "@ragline/rpc";

/** How much a service takes on at once. */
export interface TokenQueueOptions {
  /** Most tokens of all batches that wait or are computed. One batch alone is always taken. */
  readonly maxTokens: number;
  /** Told how many batches are inside, each time that changes. @default ignored */
  readonly onDepth?: (batches: number) => void;
  /** Told of each batch that is refused. @default ignored */
  readonly onRefused?: () => void;
}

// What a caller is told to wait when nothing was finished yet, and within which bounds otherwise.
const defaultRetryMs = 1000;
const minRetryMs = 100;
const maxRetryMs = 30_000;

/** Admits batches to a service up to a number of tokens; what would pass it is refused at once. */
export class TokenQueue {
  readonly #options: TokenQueueOptions;
  #tokens = 0;
  #batches = 0;
  /** Milliseconds that a token lately took, from the batches that were finished. */
  #msPerToken: number | undefined;

  constructor(options: TokenQueueOptions) {
    this.#options = options;
  }

  /** Tokens inside. */
  get tokens(): number {
    return this.#tokens;
  }

  /**
   * Takes a batch in.
   * @returns what frees its place, once it is done or given up; a second call does nothing.
   * @throws RaglineError RESOURCE_EXHAUSTED QUEUE_FULL with the time after which a place is likely.
   */
  admit(tokens: number): () => void {
    const { maxTokens, onDepth, onRefused } = this.#options;
    if (this.#batches > 0 && this.#tokens + tokens > maxTokens) {
      onRefused?.();
      const message = `the service has ${this.#tokens} of ${maxTokens} tokens to compute and takes no batch of ${tokens} more; try again later, or add a replica`;
      throw new RaglineError("RESOURCE_EXHAUSTED", "QUEUE_FULL", message, { retryDelayMs: this.#retryMs(tokens) });
    }
    const startedAt = performance.now();
    this.#tokens += tokens;
    this.#batches++;
    onDepth?.(this.#batches);
    let isInside = true;
    return () => {
      if (!isInside) return;
      isInside = false;
      this.#tokens -= tokens;
      this.#batches--;
      onDepth?.(this.#batches);
      const msPerToken = (performance.now() - startedAt) / Math.max(1, tokens);
      this.#msPerToken = this.#msPerToken === undefined ? msPerToken : 0.8 * this.#msPerToken + 0.2 * msPerToken;
    };
  }

  #retryMs(tokens: number): number {
    if (this.#msPerToken === undefined) return defaultRetryMs;
    const excess = this.#tokens + tokens - this.#options.maxTokens;
    return Math.round(Math.min(maxRetryMs, Math.max(minRetryMs, excess * this.#msPerToken)));
  }
}
