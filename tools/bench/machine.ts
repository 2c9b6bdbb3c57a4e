import { arch, availableParallelism, cpus, loadavg, platform, release, totalmem } from "node:os";
import { fastestPrecision } from "@ragline/models";
import { env } from "onnxruntime-node";

/** The machine of a measurement: absolute figures hold for it alone. */
export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGiB: number;
  readonly system: string;
  readonly node: string;
  readonly onnxruntime: string;
  /** What `--precision auto` is here. */
  readonly autoPrecision: "fp32" | "int8";
  /** Processes that ran or waited in the last minute before the measurement. */
  readonly loadBefore: number;
}

/** Describes this machine. */
export function describeMachine(): Machine {
  return {
    cpu: cpus()[0]?.model ?? "unknown",
    cores: availableParallelism(),
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    system: `${platform()} ${release()} ${arch()}`,
    node: process.version,
    onnxruntime: env.versions.node ?? "unknown",
    autoPrecision: fastestPrecision(),
    loadBefore: Math.round((loadavg()[0] ?? 0) * 100) / 100,
  };
}
