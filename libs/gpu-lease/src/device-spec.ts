import { RaglineError } from "@ragline/rpc";
import { parseByteSize } from "./byte-size.js";

/** What a simulated device is told, in the names of its ledger in a worker. */
export type SimulatedOptions = Readonly<Record<string, number>>;

/** One entry of `--device`. */
export type DeviceSpec =
  | { readonly kind: "auto" | "cpu"; readonly text: string }
  /** `ordinal` counts the GPUs that `CUDA_VISIBLE_DEVICES` leaves, as CUDA does; absent: all of them. */
  | { readonly kind: "cuda"; readonly text: string; readonly ordinal?: number }
  | {
      readonly kind: "simulated";
      readonly text: string;
      readonly count: number;
      /** Memory of each; absent: as much as the cap. */
      readonly totalBytes?: number;
      readonly options: SimulatedOptions;
    };

const maxSimulated = 64;

const help =
  "auto, cpu, cuda, cuda:<n>, or simulated:<count>x<size> with settings such as simulated:2x12GB:us-per-token=50";

function fail(text: string, why: string): never {
  throw new RaglineError("INVALID_ARGUMENT", "DEVICE", `"${text}" is no device: ${why}; write ${help}`);
}

type Setting = { readonly field: string; readonly parse: (value: string) => number | undefined; readonly what: string };

const parseNumber = (value: string): number | undefined => (/^\d+(\.\d+)?$/.test(value) ? Number(value) : undefined);
const parseCount = (value: string): number | undefined => (/^[1-9]\d{0,5}$/.test(value) ? Number(value) : undefined);

/** The settings of a simulated device, by the name that the command line has for them. */
const simulatedSettings: Readonly<Record<string, Setting>> = {
  "us-per-token": { field: "microsecondsPerToken", parse: parseNumber, what: "a number of microseconds" },
  "bytes-per-token": { field: "bytesPerToken", parse: parseByteSize, what: "a size such as 64KiB" },
  tight: { field: "tightBytes", parse: parseByteSize, what: "a size such as 500MB" },
  "tight-every": { field: "tightEvery", parse: parseCount, what: "a whole number from 1 on" },
};

function parseSimulated(text: string, parts: readonly string[]): DeviceSpec {
  const [first = "1", ...others] = parts[0]?.includes("=") ? ["1", ...parts] : parts;
  const [, count = "", size] = /^(\d+)(?:x(.+))?$/i.exec(first) ?? [];
  const devices = Number(count);
  if (count === "" || devices < 1 || devices > maxSimulated)
    fail(text, `"${first}" is no count of 1 to ${maxSimulated} devices and their size`);
  const totalBytes = size === undefined ? undefined : parseByteSize(size);
  if (size !== undefined && !totalBytes) fail(text, `"${size}" is no size such as 12GB`);
  const options: Record<string, number> = {};
  for (const part of others) {
    const [name = "", value = ""] = part.split("=", 2);
    const setting = simulatedSettings[name];
    if (!setting) fail(text, `"${part}" is none of its settings ${Object.keys(simulatedSettings).join(", ")}`);
    const parsed = setting.parse(value);
    if (parsed === undefined) fail(text, `${name} takes ${setting.what}, not "${value}"`);
    options[setting.field] = parsed;
  }
  return { kind: "simulated", text, count: devices, options, ...(totalBytes ? { totalBytes } : {}) };
}

/**
 * Reads the entries of `--device`.
 * @throws RaglineError INVALID_ARGUMENT DEVICE naming an entry that is none, and why.
 */
export function parseDeviceSpecs(entries: readonly string[]): DeviceSpec[] {
  if (entries.length === 0) fail("", "nothing is named");
  return entries.map((text) => {
    const [kind = "", ...parts] = text.split(":");
    if (kind === "simulated") return parseSimulated(text, parts);
    if (kind === "cuda" && parts.length === 0) return { kind, text };
    if (kind === "cuda" && parts.length === 1 && /^\d{1,4}$/.test(parts[0] ?? ""))
      return { kind, text, ordinal: Number(parts[0]) };
    if ((kind === "auto" || kind === "cpu") && parts.length === 0) return { kind, text };
    return fail(text, kind === "cuda" ? "a GPU has a number, from 0 on" : "there is no such kind");
  });
}
