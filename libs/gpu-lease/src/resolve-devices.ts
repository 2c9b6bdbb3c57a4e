import { totalmem } from "node:os";
import { RaglineError } from "@ragline/rpc";
import { parseByteSize } from "./byte-size.js";
import { type DeviceSpec, parseDeviceSpecs } from "./device-spec.js";
import type { DeviceFallback, DeviceSource } from "./lease.js";
import type { LeaseDevice } from "./lease-device.js";
import { type Gpu, NvidiaSmi, NvidiaSmiError } from "./nvidia-smi.js";
import { visibleGpus } from "./visible-gpus.js";

/** Which devices to look for. */
export interface DeviceRequest {
  /** Entries of `--device`. */
  readonly device: readonly string[];
  /** `--device-cap`. */
  readonly deviceCap: string;
  readonly forceCpu: boolean;
  /** `CUDA_VISIBLE_DEVICES`. @default this process's */
  readonly cudaVisibleDevices?: string | null | undefined;
  /** Who chose `device`. @default "config" */
  readonly source?: DeviceSource;
}

/** How devices are looked for. */
export interface ResolveDevicesOptions extends DeviceRequest {
  /** Why the runtime cannot compute on CUDA devices, if it cannot. */
  readonly cudaProblem: () => string | undefined;
  /** @default one of this process */
  readonly nvidiaSmi?: NvidiaSmi;
  /** Gives up when it aborts. @default none */
  readonly signal?: AbortSignal;
}

/** What was found. */
export interface ResolvedDevices {
  /** One at least, all of one kind. */
  readonly devices: readonly LeaseDevice[];
  readonly fallbacks: readonly DeviceFallback[];
}

const sharedNvidiaSmi = new NvidiaSmi();

/**
 * Checks what can be checked without a look at the machine.
 * @throws RaglineError INVALID_ARGUMENT for an entry or a cap that cannot be read, or devices of several kinds.
 */
export function checkDeviceRequest({ device, deviceCap }: DeviceRequest): { specs: DeviceSpec[]; capBytes: number } {
  const specs = parseDeviceSpecs(device);
  const capBytes = parseByteSize(deviceCap);
  if (!capBytes) {
    const message = `--device-cap is "${deviceCap}"; write a size with its unit, such as 12GB or 8GiB`;
    throw new RaglineError("INVALID_ARGUMENT", "DEVICE_CAP", message);
  }
  const kinds = new Set(specs.map(({ kind }) => kind));
  if (kinds.size > 1) {
    const message = `--device names ${[...kinds].join(" and ")} together; give devices of one kind, since vectors of different kinds differ in their last bits`;
    throw new RaglineError("INVALID_ARGUMENT", "DEVICE_KINDS", message);
  }
  return { specs, capBytes };
}

/** Memory of this machine, or what its container may use of it. */
function machineBytes(): number {
  const limit = process.constrainedMemory?.() ?? 0;
  return limit > 0 ? Math.min(limit, totalmem()) : totalmem();
}

/**
 * Finds the devices that were asked for. One that is absent is told as a fallback; where none is left, the CPU computes.
 * A device's cap is what was asked for, or all that it has if that is less.
 * @throws RaglineError INVALID_ARGUMENT as {@link checkDeviceRequest}; NvidiaSmiError when the signal aborts.
 */
export async function resolveDevices(options: ResolveDevicesOptions): Promise<ResolvedDevices> {
  const { specs, capBytes } = checkDeviceRequest(options);
  const { forceCpu, source = "config" } = options;
  const cpu: LeaseDevice = { name: "cpu:0", kind: "cpu", capBytes: Math.min(capBytes, machineBytes()) };
  const kind = forceCpu ? "cpu" : specs[0]?.kind;
  if (kind === "cpu") return { devices: [cpu], fallbacks: [] };
  if (kind === "simulated") return { devices: simulatedDevices(specs, capBytes), fallbacks: [] };
  const { gpus, problem, isAbsent } = await findGpus(options);
  const found = cudaDevices(gpus, capBytes);
  if (kind === "auto") {
    if (problem === undefined || isAbsent) return { devices: found.length > 0 ? found : [cpu], fallbacks: [] };
    const detail = `the GPUs cannot be used, so the CPU computes: ${problem}; --device cpu asks for that`;
    return { devices: [cpu], fallbacks: [{ requested: "auto", resolved: cpu.name, source, detail, degraded: false }] };
  }
  const wanted = new Set<LeaseDevice>();
  const missing: string[] = [];
  for (const spec of specs) {
    const ordinal = spec.kind === "cuda" ? spec.ordinal : undefined;
    const matches = ordinal === undefined ? found : found.slice(ordinal, ordinal + 1);
    if (matches.length === 0) missing.push(spec.text);
    for (const device of matches) wanted.add(device);
  }
  const devices = wanted.size > 0 ? [...wanted] : [cpu];
  const resolved = devices.map(({ name }) => name).join(", ");
  const why = problem ?? `there are ${gpus.length} GPUs that may be used`;
  const fallbacks = missing.map((requested) => ({
    requested,
    resolved,
    source,
    detail: `${requested} was asked for and is not there (${why}); ${resolved} computed instead`,
    degraded: true,
  }));
  return { devices, fallbacks };
}

/** The GPUs that may be used, and if there are none, why. */
async function findGpus(
  options: ResolveDevicesOptions,
): Promise<{ gpus: Gpu[]; problem?: string; isAbsent?: boolean }> {
  const { nvidiaSmi = sharedNvidiaSmi, signal, cudaVisibleDevices, cudaProblem } = options;
  try {
    const visible = cudaVisibleDevices ?? process.env["CUDA_VISIBLE_DEVICES"];
    const gpus = visibleGpus(await nvidiaSmi.gpus(signal), visible);
    if (gpus.length === 0) {
      const problem =
        visible === undefined ? "nvidia-smi lists no GPU" : `CUDA_VISIBLE_DEVICES is "${visible}", which leaves no GPU`;
      return { gpus, problem, isAbsent: true };
    }
    const problem = cudaProblem();
    return problem === undefined ? { gpus } : { gpus: [], problem };
  } catch (error) {
    if (!(error instanceof NvidiaSmiError) || error.failure === "cancelled") throw error;
    return { gpus: [], problem: error.message, isAbsent: error.failure === "absent" };
  }
}

function cudaDevices(gpus: readonly Gpu[], capBytes: number): LeaseDevice[] {
  return gpus.map(({ uuid, name, totalBytes }, ordinal) => ({
    name: `cuda:${ordinal}`,
    kind: "cuda",
    hardware: name,
    capBytes: Math.min(capBytes, totalBytes),
    // By its UUID a worker finds it whatever numbers its own process would give to the GPUs.
    options: { uuid },
  }));
}

function simulatedDevices(specs: readonly DeviceSpec[], capBytes: number): LeaseDevice[] {
  const devices: LeaseDevice[] = [];
  for (const spec of specs) {
    if (spec.kind !== "simulated") continue;
    const { count, totalBytes = capBytes, options } = spec;
    for (let i = 0; i < count; i++)
      devices.push({
        name: `simulated:${devices.length}`,
        kind: "simulated",
        capBytes: Math.min(capBytes, totalBytes),
        options,
      });
  }
  return devices;
}
