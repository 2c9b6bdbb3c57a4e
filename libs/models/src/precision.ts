import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";

/** How the numbers of a graph are computed or kept. */
export const precisions = ["fp32", "fp16", "int8", "q4"] as const;

/** How the numbers of a graph are computed or kept. */
export type Precision = (typeof precisions)[number];

const nativeInt8 = /\b(avx512_vnni|avx_vnni|avx512vnni|avxvnni|amx_int8|i8mm)\b/i;

function readCpuFeatures(): string {
  try {
    if (process.platform === "linux") return readFileSync("/proc/cpuinfo", "utf8");
    if (process.platform === "darwin") {
      const on =
        execFileSync("sysctl", ["-n", "hw.optional.arm.FEAT_I8MM"], { encoding: "utf8", timeout: 2000 }).trim() === "1";
      return on ? "i8mm" : "";
    }
  } catch {
    // A system that does not tell is treated as one without int8 instructions: slower, never wrong.
  }
  return "";
}

/**
 * The precision that is fastest on this machine: int8 where the CPU multiplies int8 natively (VNNI, AMX or i8mm), else fp32.
 * @param cpuFeatures text that lists the CPU's features; read from the system by default.
 */
export function fastestPrecision(cpuFeatures = readCpuFeatures()): "fp32" | "int8" {
  return nativeInt8.test(cpuFeatures) ? "int8" : "fp32";
}

/**
 * The precision that "auto" is for a model: the fastest on this machine that it has, else the most exact of the others.
 * @param available precisions of the model's graphs; at least one.
 * @param cpuFeatures text that lists the CPU's features; read from the system by default.
 */
export function choosePrecision(available: readonly Precision[], cpuFeatures?: string): Precision {
  const preferred: readonly Precision[] = [fastestPrecision(cpuFeatures), ...precisions];
  return preferred.find((precision) => available.includes(precision)) ?? "fp32";
}
