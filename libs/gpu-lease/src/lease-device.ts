import type { DeviceKind } from "./lease.js";

/** 12 GB, counted as 12 * 10^9 bytes: below 12 GiB, so the cap holds in either reading. */
export const defaultCapBytes = 12_000_000_000;

/** A device that a broker grants. */
export interface LeaseDevice {
  /** Name such as "cpu:0", unique in a broker. */
  readonly name: string;
  /** What it is; `simulated` is a ledger without hardware, for tests. */
  readonly kind: DeviceKind;
  /** Most bytes leased at any time. @default 12 * 10^9 */
  readonly capBytes?: number;
  /** What a worker needs to know of it, such as the index of a GPU; passed on unread. @default {} */
  readonly options?: Readonly<Record<string, unknown>>;
}

/** One that waits: how much it needs and what to do when it gets it. */
export interface Waiter {
  readonly bytes: number;
  /** Higher goes first. */
  priority: number;
  grant(): void;
  moved(position: number): void;
}

/**
 * The ledger of one device: what is granted, and who waits: higher priority first, then first come first served. One
 * that is overtaken rises by 1, and a large request at the head of the line holds up smaller ones behind it, so that
 * none is starved.
 */
export class DeviceLedger {
  readonly name: string;
  readonly kind: DeviceKind;
  readonly options: Readonly<Record<string, unknown>>;
  readonly capBytes: number;
  readonly #exclusive: boolean;
  readonly #waiting: Waiter[] = [];
  #grants = 0;
  #grantedBytes = 0;

  constructor(device: LeaseDevice, exclusive: boolean) {
    this.name = device.name;
    this.kind = device.kind;
    this.options = device.options ?? {};
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

  /** Puts one into the line behind those of the same priority, and grants what can be granted. */
  enqueue(waiter: Waiter): void {
    const firstBelow = this.#waiting.findIndex(({ priority }) => priority < waiter.priority);
    const place = firstBelow < 0 ? this.#waiting.length : firstBelow;
    const overtaken = this.#waiting.slice(place);
    for (const each of overtaken) each.priority++;
    this.#waiting.splice(place, 0, waiter);
    this.#grantFromHead();
    const position = this.#waiting.indexOf(waiter);
    if (position >= 0) waiter.moved(position);
    if (overtaken.length > 0) this.#tellPositions(position + 1);
  }

  /** Takes one that gave up out of the line. */
  leave(waiter: Waiter): void {
    const position = this.#waiting.indexOf(waiter);
    if (position < 0) return;
    this.#waiting.splice(position, 1);
    this.#grantFromHead();
    this.#tellPositions(position);
  }

  /** Takes a grant back. */
  free(bytes: number): void {
    this.#grants -= 1;
    this.shrink(bytes);
  }

  /** Takes a part of a grant back. */
  shrink(bytes: number): void {
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
