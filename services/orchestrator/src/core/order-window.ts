/** A batch that was read from its source and is not handed on yet. */
export interface Task<Batch, Result, Holder> {
  readonly batch: Batch;
  /** Those that compute it now. */
  readonly holders: Set<Holder>;
  result?: Result;
}

/**
 * Batches in the order of their source, from the moment they are read until their results are handed on in that order,
 * whatever the order in which they are computed.
 */
export class OrderWindow<Batch, Result extends object, Holder> {
  readonly #source: AsyncIterator<Batch>;
  readonly #onRead: () => void;
  readonly #tasks: Task<Batch, Result, Holder>[] = [];
  #isReading = false;
  #isExhausted = false;
  #failure: { readonly error: unknown } | undefined;

  /** @param onRead told when the source has given a batch, has ended or has failed: {@link next} answers otherwise then */
  constructor(source: AsyncIterator<Batch>, onRead: () => void) {
    this.#source = source;
    this.#onRead = onRead;
  }

  /** Whether every batch of the source was handed on. */
  get isDone(): boolean {
    return this.#isExhausted && this.#tasks.length === 0;
  }

  /** Whether the next batch of the source is waited for. */
  get isReading(): boolean {
    return this.#isReading;
  }

  /** Batches without a result, oldest first. */
  get unanswered(): Task<Batch, Result, Holder>[] {
    return this.#tasks.filter(({ result }) => result === undefined);
  }

  /**
   * The oldest batch that nobody computes. If there is none, and fewer than `capacity` batches are in the window, one is
   * read from the source meanwhile: what comes next there may depend on results that are still to be handed on.
   * @throws what the source has failed with.
   */
  next(capacity: number): Task<Batch, Result, Holder> | undefined {
    if (this.#failure) throw this.#failure.error;
    const free = this.#tasks.find(({ result, holders }) => result === undefined && holders.size === 0);
    if (!free && !this.#isExhausted && !this.#isReading && this.#tasks.length < capacity) void this.#read();
    return free;
  }

  /** Gives the source up; one that is in the middle of a read is not waited for. */
  async close(): Promise<void> {
    const returned = this.#source.return?.();
    if (this.#isReading) returned?.catch(() => undefined);
    else await returned;
  }

  async #read(): Promise<void> {
    this.#isReading = true;
    try {
      const step = await this.#source.next();
      if (step.done) this.#isExhausted = true;
      else this.#tasks.push({ batch: step.value, holders: new Set() });
    } catch (error) {
      this.#failure = { error };
    }
    this.#isReading = false;
    this.#onRead();
  }

  /** Removes the oldest batch, if it has a result. */
  shift(): { readonly batch: Batch; readonly result: Result } | undefined {
    const { batch, result } = this.#tasks[0] ?? {};
    if (batch === undefined || result === undefined) return undefined;
    this.#tasks.shift();
    return { batch, result };
  }
}
