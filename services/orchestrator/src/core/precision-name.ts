import { Precision } from "@ragline/contracts";
import { enumName } from "./enum-name.js";

/** "fp32", "fp16", "int8" or "q4", as the manifest and the summary print it. */
export function precisionName(precision: Precision): string {
  return enumName(Precision, precision);
}

const byName: Readonly<Record<string, Precision>> = {
  fp32: Precision.FP32,
  fp16: Precision.FP16,
  int8: Precision.INT8,
  q4: Precision.Q4,
};

/** The precision of a name; AUTO for any other. */
export function precisionOf(name: unknown): Precision {
  return (typeof name === "string" ? byName[name] : undefined) ?? Precision.AUTO;
}
