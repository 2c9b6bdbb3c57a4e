import type { SettingLayer, SettingProvenance } from "@ragline/config";
import {
  checkBrokerAddress,
  checkDeviceRequest,
  type DeviceRequest,
  type DeviceSource,
  type ResolvedDevices,
  resolveDevices,
} from "@ragline/gpu-lease";
import { cudaProblem } from "@ragline/inference";

const sources: Readonly<Record<SettingLayer, DeviceSource>> = {
  default: "default",
  config: "config",
  dotenv: "env",
  env: "env",
  cli: "cli",
};

/** Who chose the devices of a run. */
export function deviceSource(provenance: readonly SettingProvenance[]): DeviceSource {
  return sources[provenance.find(({ key }) => key === "device")?.layer ?? "default"];
}

/** Where the stages of a run lease devices: from a broker that runs already, or from one of this process. */
export type RunLeases = { readonly address: string } | { readonly findDevices: () => Promise<ResolvedDevices> };

/**
 * Where the stages lease, as the settings say; devices of our own are looked for when the first lease is asked for.
 * @throws RaglineError INVALID_ARGUMENT for settings that cannot be read.
 */
export function runLeases(
  request: DeviceRequest & { readonly leaseBroker: string | null },
  signal: AbortSignal,
): RunLeases {
  if (request.leaseBroker) {
    checkBrokerAddress(request.leaseBroker);
    return { address: request.leaseBroker };
  }
  checkDeviceRequest(request);
  return { findDevices: () => resolveDevices({ ...request, cudaProblem, signal }) };
}
