import { Precision } from "@ragline/contracts";

/** "fp32" or "int8", as the manifest and the summary print it. */
export function precisionName(precision: Precision): string {
  return precision === Precision.INT8 ? "int8" : "fp32";
}
