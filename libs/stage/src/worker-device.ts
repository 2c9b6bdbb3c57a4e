import type { Lease } from "@ragline/gpu-lease";
import type { WorkerDevice } from "@ragline/inference";

/** What a worker computes on under a lease. */
export function workerDevice({ deviceKind, deviceOptions, bytes }: Lease): WorkerDevice {
  const { uuid } = deviceOptions;
  if (deviceKind === "cuda") return { kind: "cuda", ...(typeof uuid === "string" ? { uuid } : {}) };
  if (deviceKind === "simulated") return { kind: "simulated", options: { ...deviceOptions, bytes } };
  return { kind: "cpu" };
}
