import { expect, test } from "vitest";
import { byteSizeText, parseByteSize } from "./byte-size.js";
import { parseDeviceSpecs } from "./device-spec.js";

test.each([
  ["12GB", 12e9],
  ["1.5 gib", 1.5 * 1024 ** 3],
  ["500MB", 5e8],
  ["0B", 0],
  ["12", undefined],
  ["GB", undefined],
  ["-1GB", undefined],
  ["12GBs", undefined],
  ["1e9B", undefined],
  ["99999999TB", undefined],
])("a size of %s is %s bytes", (text, bytes) => expect(parseByteSize(text)).toBe(bytes));

test.each([
  [12e9, "12 GB"],
  [1.234e9, "1.23 GB"],
  [5e8, "500 MB"],
  [999, "999 bytes"],
])("%i bytes are told as %s", (bytes, text) => expect(byteSizeText(bytes)).toBe(text));

const plain = { count: 1, options: {} };

test.each([
  ["auto", { kind: "auto" }],
  ["cpu", { kind: "cpu" }],
  ["cuda", { kind: "cuda" }],
  ["cuda:0", { kind: "cuda", ordinal: 0 }],
  ["cuda:12", { kind: "cuda", ordinal: 12 }],
  ["simulated", { kind: "simulated", ...plain }],
  ["simulated:4", { kind: "simulated", ...plain, count: 4 }],
  ["simulated:2x12GB", { kind: "simulated", ...plain, count: 2, totalBytes: 12e9 }],
  ["simulated:us-per-token=2.5", { kind: "simulated", ...plain, options: { microsecondsPerToken: 2.5 } }],
  [
    "simulated:2x1GiB:us-per-token=50:bytes-per-token=64KiB:tight=500MB:tight-every=3",
    {
      kind: "simulated",
      count: 2,
      totalBytes: 1024 ** 3,
      options: { microsecondsPerToken: 50, bytesPerToken: 65_536, tightBytes: 5e8, tightEvery: 3 },
    },
  ],
])("%s is read", (text, spec) => expect(parseDeviceSpecs([text])).toEqual([{ ...spec, text }]));

test.each([
  ["gpu", /"gpu" is no device: there is no such kind; write auto, cpu/],
  ["cuda:-1", /a GPU has a number/],
  ["cuda:x", /a GPU has a number/],
  ["cuda:1:2", /a GPU has a number/],
  ["cpu:0", /there is no such kind/],
  ["simulated:0", /"0" is no count/],
  ["simulated:65", /"65" is no count/],
  ["simulated:2x", /"2x" is no count/],
  ["simulated:2x12", /"12" is no size/],
  ["simulated:2x0GB", /"0GB" is no size/],
  ["simulated:2:pace=1", /"pace=1" is none of its settings us-per-token, bytes-per-token, tight, tight-every/],
  ["simulated:2:us-per-token=fast", /us-per-token takes a number of microseconds, not "fast"/],
  ["simulated:2:tight-every=0", /tight-every takes a whole number/],
])("%s is refused", (text, message) => expect(() => parseDeviceSpecs([text])).toThrow(message));

test("nothing is no device", () => expect(() => parseDeviceSpecs([])).toThrow("nothing is named"));
