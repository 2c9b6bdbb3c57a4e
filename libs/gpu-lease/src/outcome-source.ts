import { OutcomeSource } from "@ragline/contracts";
import type { DeviceSource } from "./lease.js";

const sources: Readonly<Record<DeviceSource, OutcomeSource>> = {
  runtime: OutcomeSource.RUNTIME,
  cli: OutcomeSource.CLI,
  env: OutcomeSource.ENV,
  config: OutcomeSource.CONFIG,
  default: OutcomeSource.DEFAULT,
};

/** The contract's name of who chose a device. */
export function toOutcomeSource(source: DeviceSource): OutcomeSource {
  return sources[source];
}

/** Who chose a device by the contract's name; one that this version does not know counts as the runtime. */
export function fromOutcomeSource(source: OutcomeSource | undefined): DeviceSource {
  for (const [name, value] of Object.entries(sources)) if (value === source) return name as DeviceSource;
  return "runtime";
}
