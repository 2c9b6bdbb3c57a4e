export { byteSizeText, parseByteSize } from "./byte-size.js";
export { deviceSettings, leaseSettings } from "./device-settings.js";
export type {
  DeviceFallback,
  DeviceKind,
  DeviceSource,
  Lease,
  LeaseDeviceState,
  LeaseEvent,
  LeaseRequest,
  LeaseSource,
  LeaseSourceState,
  LeaseStage,
  LeaseState,
} from "./lease.js";
export { LeaseBroker, type LeaseBrokerOptions } from "./lease-broker.js";
export { defaultCapBytes, type LeaseDevice } from "./lease-device.js";
export { holderKeepalive, leaseHandlers } from "./lease-handlers.js";
export { checkBrokerAddress, leaseSource } from "./lease-source.js";
export { LocalLeases } from "./local-leases.js";
export { type Gpu, NvidiaSmi, NvidiaSmiError, type NvidiaSmiOptions } from "./nvidia-smi.js";
export { toOutcomeSource } from "./outcome-source.js";
export { remoteLeases } from "./remote-leases.js";
export {
  checkDeviceRequest,
  type DeviceRequest,
  type ResolveDevicesOptions,
  type ResolvedDevices,
  resolveDevices,
} from "./resolve-devices.js";
