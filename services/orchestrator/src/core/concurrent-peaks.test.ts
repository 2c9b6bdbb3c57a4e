import { LeaseEvent_Kind } from "@ragline/contracts";
import { expect, test } from "vitest";
import { concurrentPeaks } from "./concurrent-peaks.js";

const held = (leaseId: string, device: string, fromMs: number, toMs: number, bytes: number) => [
  { kind: LeaseEvent_Kind.GRANTED, leaseId, device, atMs: fromMs, peakBytes: 0n },
  { kind: LeaseEvent_Kind.RELEASED, leaseId, device, atMs: toMs, peakBytes: BigInt(bytes) },
];

test.each([
  ["one after the other", [...held("a", "d", 0, 10, 5), ...held("b", "d", 10, 20, 7)], 7],
  ["side by side", [...held("a", "d", 0, 10, 5), ...held("b", "d", 9, 20, 7)], 12],
  ["one within another", [...held("a", "d", 0, 30, 5), ...held("b", "d", 5, 9, 7), ...held("c", "d", 10, 12, 3)], 12],
  ["told out of order", [...held("b", "d", 9, 20, 7), ...held("a", "d", 0, 10, 5)], 12],
  ["not given back", held("a", "d", 0, 10, 5).slice(0, 1), undefined],
])("leases that are held %s", (_, events, peak) => {
  expect(concurrentPeaks(events).get("d")).toBe(peak);
});

test("devices are told apart", () => {
  expect([...concurrentPeaks([...held("a", "d", 0, 10, 5), ...held("b", "e", 0, 10, 7)])]).toEqual([
    ["d", 5],
    ["e", 7],
  ]);
});
