import type { SettingLayer, SettingProvenance } from "@ragline/config";
import {
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

/**
 * Looks for the devices that settings name, when it is called.
 * @throws RaglineError INVALID_ARGUMENT, at once, for settings that name none.
 */
export function deviceFinder(request: DeviceRequest, signal: AbortSignal): () => Promise<ResolvedDevices> {
  checkDeviceRequest(request);
  return () => resolveDevices({ ...request, cudaProblem, signal });
}
