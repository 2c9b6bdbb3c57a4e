import type { Lease } from "@ragline/gpu-lease";
import type { WorkerDevice } from "@ragline/inference";

/** What a worker computes on under a lease. */
export function workerDevice({ deviceKind, deviceOptions, bytes }: Lease): WorkerDevice {
  if (deviceKind === "cuda") return { kind: "cuda", deviceId: Number(deviceOptions["deviceId"] ?? 0) };
  if (deviceKind === "simulated") return { kind: "simulated", options: { ...deviceOptions, bytes } };
  return { kind: "cpu" };
}
