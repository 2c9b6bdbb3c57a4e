import type { Lease, LeaseDeviceState, LeaseEvent, LeaseRequest, LeaseSource, LeaseSourceState } from "./lease.js";
import { LeaseBroker, type LeaseBrokerOptions } from "./lease-broker.js";

/** A broker of this process whose devices are looked for when somebody asks for the first time. */
export class LocalLeases implements LeaseSource {
  readonly #findDevices: () => Promise<Pick<LeaseBrokerOptions, "devices" | "fallbacks">>;
  readonly #options: Omit<LeaseBrokerOptions, "devices" | "fallbacks">;
  #opening: Promise<LeaseBroker> | undefined;
  #broker: LeaseBroker | undefined;

  constructor(
    findDevices: () => Promise<Pick<LeaseBrokerOptions, "devices" | "fallbacks">>,
    options: Omit<LeaseBrokerOptions, "devices" | "fallbacks"> = {},
  ) {
    this.#findDevices = findDevices;
    this.#options = options;
  }

  /** The latest events, oldest first. */
  get events(): readonly LeaseEvent[] {
    return this.#broker?.events ?? [];
  }

  /** Every device with its cap and what is granted of it; none before the first was asked for. */
  get devices(): readonly LeaseDeviceState[] {
    return this.#broker?.devices ?? [];
  }

  async acquire(request: LeaseRequest): Promise<Lease> {
    return (await this.#open()).acquire(request);
  }

  async describe(): Promise<LeaseSourceState> {
    return (await this.#open()).describe();
  }

  #open(): Promise<LeaseBroker> {
    this.#opening ??= this.#findDevices().then(
      (found) => (this.#broker = new LeaseBroker({ ...this.#options, ...found })),
      (error: unknown) => {
        this.#opening = undefined;
        throw error;
      },
    );
    return this.#opening;
  }
}
