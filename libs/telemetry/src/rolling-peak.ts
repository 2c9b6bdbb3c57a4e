const slotMs = 5000;
const slots = 12;

/** The largest of the values of the last minute: high enough for a scrape to see every peak, and low again when it is over. */
export class RollingPeak {
  readonly #peaks = new Array<number>(slots).fill(0);
  readonly #now: () => number;
  #slot = 0;

  /** @param now milliseconds that never go back. @default the process's clock */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
    this.#slot = Math.floor(now() / slotMs);
  }

  add(value: number): void {
    this.#advance();
    const at = this.#slot % slots;
    this.#peaks[at] = Math.max(this.#peaks[at] ?? 0, value);
  }

  get value(): number {
    this.#advance();
    return Math.max(...this.#peaks);
  }

  #advance(): void {
    const slot = Math.floor(this.#now() / slotMs);
    for (let i = 0; i < Math.min(slots, slot - this.#slot); i++) this.#peaks[(slot - i) % slots] = 0;
    this.#slot = slot;
  }
}
