import type { DeviceKind } from "./lease.js";

/** 12 GB, counted as 12 * 10^9 bytes: below 12 GiB, so the cap holds in either reading. */
export const defaultCapBytes = 12_000_000_000;

// 10 GB of 12.
const softShare = 10 / 12;

/** A device that a broker grants. */
export interface LeaseDevice {
  /** Name such as "cpu:0", unique in a broker. */
  readonly name: string;
  /** What it is; `simulated` is a ledger without hardware, for tests. */
  readonly kind: DeviceKind;
  /** Most bytes leased at any time. @default 12 * 10^9 */
  readonly capBytes?: number;
  /** Above this it is nearly full. @default 10 twelfths of the cap */
  readonly softLimitBytes?: number;
  /** What it is, such as "NVIDIA T4". @default "" */
  readonly hardware?: string;
  /** What a worker needs to know of it, such as the index of a GPU; passed on unread. @default {} */
  readonly options?: Readonly<Record<string, unknown>>;
}

/** The ledger of one device: how much of it is granted, and whether more can be. */
export class DeviceLedger {
  readonly name: string;
  readonly kind: DeviceKind;
  readonly hardware: string;
  readonly options: Readonly<Record<string, unknown>>;
  readonly capBytes: number;
  readonly softLimitBytes: number;
  readonly #exclusive: boolean;
  #grants = 0;
  #grantedBytes = 0;

  constructor(device: LeaseDevice, exclusive: boolean) {
    this.name = device.name;
    this.kind = device.kind;
    this.hardware = device.hardware ?? "";
    this.options = device.options ?? {};
    this.capBytes = device.capBytes ?? defaultCapBytes;
    this.softLimitBytes = device.softLimitBytes ?? Math.floor(this.capBytes * softShare);
    this.#exclusive = exclusive;
  }

  /** Sum of the bytes granted now. */
  get grantedBytes(): number {
    return this.#grantedBytes;
  }

  /** Leases on it now. */
  get grants(): number {
    return this.#grants;
  }

  /** Whether so many bytes can be granted now. */
  fits(bytes: number): boolean {
    if (this.#exclusive && this.#grants > 0) return false;
    return this.#grantedBytes + bytes <= this.capBytes;
  }

  /** Grants bytes that fit. */
  grant(bytes: number): void {
    this.#grants += 1;
    this.#grantedBytes += bytes;
  }

  /** Takes a grant back. */
  free(bytes: number): void {
    this.#grants -= 1;
    this.shrink(bytes);
  }

  /** Takes a part of a grant back. */
  shrink(bytes: number): void {
    this.#grantedBytes -= bytes;
  }
}
