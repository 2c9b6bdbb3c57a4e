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
  readonly #tasks: Task<Batch, Result, Holder>[] = [];
  #isExhausted = false;

  constructor(source: AsyncIterator<Batch>) {
    this.#source = source;
  }

  /** Whether every batch of the source was handed on. */
  get isDone(): boolean {
    return this.#isExhausted && this.#tasks.length === 0;
  }

  /** Batches without a result, oldest first. */
  get unanswered(): Task<Batch, Result, Holder>[] {
    return this.#tasks.filter(({ result }) => result === undefined);
  }

  /**
   * The oldest batch that nobody computes; one is read from the source if there is none and no more than `capacity`
   * batches are in the window then.
   */
  async next(capacity: number): Promise<Task<Batch, Result, Holder> | undefined> {
    const free = this.#tasks.find(({ result, holders }) => result === undefined && holders.size === 0);
    if (free || this.#isExhausted || this.#tasks.length >= capacity) return free;
    const step = await this.#source.next();
    if (step.done) {
      this.#isExhausted = true;
      return undefined;
    }
    const task: Task<Batch, Result, Holder> = { batch: step.value, holders: new Set() };
    this.#tasks.push(task);
    return task;
  }

  /** Removes the oldest batch, if it has a result. */
  shift(): { readonly batch: Batch; readonly result: Result } | undefined {
    const { batch, result } = this.#tasks[0] ?? {};
    if (batch === undefined || result === undefined) return undefined;
    this.#tasks.shift();
    return { batch, result };
  }
}
