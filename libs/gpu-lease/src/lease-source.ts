import { RaglineError } from "@ragline/rpc";
import type { LeaseSource } from "./lease.js";
import { LocalLeases } from "./local-leases.js";
import { remoteLeases } from "./remote-leases.js";
import { checkDeviceRequest, type ResolveDevicesOptions, resolveDevices } from "./resolve-devices.js";

/**
 * Checks the address of a lease broker.
 * @throws RaglineError INVALID_ARGUMENT LEASE_BROKER
 */
export function checkBrokerAddress(address: string): void {
  if (/^(unix:\/.+|[^=\s]+:\d+)$/.test(address)) return;
  const message = `--lease-broker is "${address}"; write its address as host:port or unix:/path`;
  throw new RaglineError("INVALID_ARGUMENT", "LEASE_BROKER", message);
}

/**
 * Leases from the broker that the settings name, or from one of this process over its devices.
 * @throws RaglineError INVALID_ARGUMENT for settings that cannot be read.
 */
export function leaseSource(
  options: ResolveDevicesOptions & { readonly leaseBroker: string | null },
): LeaseSource & Partial<Pick<LocalLeases, "devices">> {
  if (options.leaseBroker) {
    checkBrokerAddress(options.leaseBroker);
    return remoteLeases(options.leaseBroker);
  }
  checkDeviceRequest(options);
  return new LocalLeases(() => resolveDevices(options));
}
