export type { DeviceKind, Lease, LeaseEvent, LeaseRequest, LeaseSource, LeaseStage } from "./lease.js";
export { LeaseBroker, type LeaseBrokerOptions, type LeaseDeviceState, type LeaseState } from "./lease-broker.js";
export { defaultCapBytes, type LeaseDevice } from "./lease-device.js";
export { leaseHandlers } from "./lease-handlers.js";
export { remoteLeases } from "./remote-leases.js";
