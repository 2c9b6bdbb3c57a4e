/** 12 GB, counted as 12 * 10^9 bytes: below 12 GiB, so the cap holds in either reading. */
export const defaultCapBytes = 12_000_000_000;

/** A device that a broker grants. */
export interface LeaseDevice {
  /** Name such as "cpu:0", unique in a broker. */
  readonly name: string;
  /** What it is; `simulated` is a ledger without hardware, for tests. */
  readonly kind: "cpu" | "cuda" | "simulated";
  /** Most bytes leased at any time. @default 12 * 10^9 */
  readonly capBytes?: number;
}

/** One that waits: how much it needs and what to do when it gets it. */
export interface Waiter {
  readonly bytes: number;
  grant(): void;
  moved(position: number): void;
}

/**
 * The ledger of one device: what is granted, and who waits, first come first served. A large request at the head of
 * the line holds up smaller ones behind it, so it is never starved.
 */
export class DeviceLedger {
  readonly name: string;
  readonly capBytes: number;
  readonly #exclusive: boolean;
  readonly #waiting: Waiter[] = [];
  #grants = 0;
  #grantedBytes = 0;

  constructor(device: LeaseDevice, exclusive: boolean) {
    this.name = device.name;
    this.capBytes = device.capBytes ?? defaultCapBytes;
    this.#exclusive = exclusive;
  }

  /** Sum of the bytes granted now. */
  get grantedBytes(): number {
    return this.#grantedBytes;
  }

  /** How many wait. */
  get waiting(): number {
    return this.#waiting.length;
  }

  /** Whether a request would be granted at once. */
  hasRoomFor(bytes: number): boolean {
    return this.#waiting.length === 0 && this.#fits(bytes);
  }

  /** Puts one at the end of the line, and grants what can be granted. */
  enqueue(waiter: Waiter): void {
    this.#waiting.push(waiter);
    this.#grantFromHead();
    const position = this.#waiting.indexOf(waiter);
    if (position >= 0) waiter.moved(position);
  }

  /** Takes one that gave up out of the line. */
  leave(waiter: Waiter): void {
    const position = this.#waiting.indexOf(waiter);
    if (position < 0) return;
    this.#waiting.splice(position, 1);
    this.#grantFromHead();
    this.#tellPositions(position);
  }

  /** Takes granted bytes back. */
  free(bytes: number): void {
    this.#grants -= 1;
    this.#grantedBytes -= bytes;
    if (this.#grantFromHead() > 0) this.#tellPositions(0);
  }

  #fits(bytes: number): boolean {
    if (this.#exclusive && this.#grants > 0) return false;
    return this.#grantedBytes + bytes <= this.capBytes;
  }

  #grantFromHead(): number {
    let granted = 0;
    for (let head = this.#waiting[0]; head && this.#fits(head.bytes); head = this.#waiting[0]) {
      this.#waiting.shift();
      this.#grants += 1;
      this.#grantedBytes += head.bytes;
      granted += 1;
      head.grant();
    }
    return granted;
  }

  #tellPositions(from: number): void {
    for (const [position, waiter] of [...this.#waiting.entries()].slice(from)) waiter.moved(position);
  }
}
