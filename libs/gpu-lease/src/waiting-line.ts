import type { DeviceLedger } from "./lease-device.js";

/** One that waits: how much it needs, where it would do, and what to do when it gets it. */
export interface Waiter {
  readonly bytes: number;
  /** Every device that can grant it. */
  readonly devices: readonly DeviceLedger[];
  /** The one of them that it holds up for those behind it, so that it is not starved by smaller ones. */
  readonly home: DeviceLedger;
  /** Higher goes first. */
  priority: number;
  grant(device: DeviceLedger): void;
  moved(position: number): void;
}

/** Of some devices the first of those with the fewest leases, so that models side by side are on different ones. */
function emptiest([first, ...others]: readonly DeviceLedger[]): DeviceLedger | undefined {
  return first && others.reduce((least, each) => (each.grants < least.grants ? each : least), first);
}

/**
 * Who waits for the devices of a broker: higher priority first, then first come first served. Whoever is at the front
 * takes the emptiest of its devices that has room, so no device stands idle while one waits that could use it. One that
 * is overtaken rises by 1, and one that finds no room holds up its home for all behind it: none is starved.
 */
export class WaitingLine {
  readonly #waiting: Waiter[] = [];

  /** How many hold up this device. */
  waitingAt(device: DeviceLedger): number {
    return this.#waiting.reduce((count, { home }) => (home === device ? count + 1 : count), 0);
  }

  /** The emptiest of some devices that would grant so much at once. */
  firstFree(devices: readonly DeviceLedger[], bytes: number): DeviceLedger | undefined {
    return emptiest(devices.filter((device) => device.fits(bytes) && this.waitingAt(device) === 0));
  }

  /** Puts one into the line behind those of the same priority, and grants what can be granted. */
  enqueue(waiter: Waiter): void {
    const firstBelow = this.#waiting.findIndex(({ priority }) => priority < waiter.priority);
    const place = firstBelow < 0 ? this.#waiting.length : firstBelow;
    const overtaken = this.#waiting.slice(place);
    for (const each of overtaken) each.priority++;
    this.#waiting.splice(place, 0, waiter);
    this.#grantAll();
    const position = this.#waiting.indexOf(waiter);
    if (position >= 0) waiter.moved(position);
    if (overtaken.length > 0) this.#tellPositions(position + 1);
  }

  /** Takes one that gave up out of the line. */
  leave(waiter: Waiter): void {
    const position = this.#waiting.indexOf(waiter);
    if (position < 0) return;
    this.#waiting.splice(position, 1);
    this.#grantAll();
    this.#tellPositions(position);
  }

  /** Grants what can be granted now that a device has more room. */
  roomMade(): void {
    if (this.#grantAll() > 0) this.#tellPositions(0);
  }

  #grantAll(): number {
    const heldUp = new Set<DeviceLedger>();
    let granted = 0;
    for (const waiter of this.#waiting.splice(0)) {
      const { bytes, devices, home } = waiter;
      const device = emptiest(devices.filter((each) => !heldUp.has(each) && each.fits(bytes)));
      if (!device) {
        heldUp.add(home);
        this.#waiting.push(waiter);
        continue;
      }
      device.grant(bytes);
      granted += 1;
      waiter.grant(device);
    }
    return granted;
  }

  #tellPositions(from: number): void {
    for (const [position, waiter] of [...this.#waiting.entries()].slice(from)) waiter.moved(position);
  }
}
