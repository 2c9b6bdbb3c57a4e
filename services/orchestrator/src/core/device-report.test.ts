import { create, type MessageInitShape } from "@bufbuild/protobuf";
import {
  BatchResize_Cause,
  LeaseEvent_Kind,
  StageReadySchema,
  type StageSummary,
  StageSummarySchema,
} from "@ragline/contracts";
import { expect, test } from "vitest";
import { allLeaseEvents, deviceRows, gpuBaseline, resizeRecords, type StageRun } from "./device-report.js";

function runOf(
  stage: StageRun["stage"],
  model: string,
  summary: MessageInitShape<typeof StageSummarySchema>,
): StageRun {
  const complete: StageSummary = create(StageSummarySchema, summary);
  return { stage, run: { ready: create(StageReadySchema, { model }), summary: complete } };
}

const use = { kind: "simulated", capBytes: 12_000_000_000n, softLimitBytes: 10_000_000_000n, samples: 4n, leases: 1 };
const runs = [
  runOf("dense", "a", {
    devices: [
      { ...use, device: "simulated:10", peakBytes: 5_000_000_000n, grantedBytes: 6_000_000_000n, waitSeconds: 1 },
      { ...use, device: "simulated:2", peakBytes: 1_000_000_000n, grantedBytes: 6_000_000_000n },
    ],
    resizes: [{ cause: BatchResize_Cause.OUT_OF_MEMORY, fromTokens: 64, toTokens: 32 }],
  }),
  runOf("rerank", "b", {
    devices: [{ ...use, device: "simulated:10", peakBytes: 11_000_000_000n, softLimitCrossings: 2n, waitSeconds: 2 }],
  }),
];

test("devices of several models are added up, and the fullest is named", () => {
  const rows = deviceRows(runs);
  expect(rows).toMatchObject([
    { device: "simulated:2", leases: 1, peakBytes: 1e9, samples: 4 },
    {
      device: "simulated:10",
      leases: 2,
      waitSeconds: 3,
      peakBytes: 11e9,
      grantedBytes: 6e9,
      capBytes: 12e9,
      softLimitCrossings: 2,
      samples: 8,
    },
  ]);
  expect(gpuBaseline(rows)).toMatchObject({
    samples: 12,
    peak_memory_used_gb: 11,
    peak_device: "simulated:10",
    soft_limit_gb: 10,
    soft_limit_exceeded: true,
    status: "soft_limit_exceeded",
    per_gpu: {
      "simulated:2": { peak_memory_used_gb: 1, soft_limit_exceeded: false },
      "simulated:10": { peak_memory_used_gb: 11, soft_limit_exceeded: true, lease_wait_seconds: 3 },
    },
  });
  expect(resizeRecords(runs)).toEqual([
    { stage: "dense", model: "a", cause: "out_of_memory", from_tokens: 64, to_tokens: 32 },
  ]);
});

test("a CPU is no GPU", () => {
  const rows = deviceRows([
    runOf("dense", "a", { devices: [{ ...use, kind: "cpu", device: "cpu:0", peakBytes: 9n }] }),
  ]);
  expect(gpuBaseline(rows)).toMatchObject({ samples: 0, per_gpu: {}, status: "no_gpu", soft_limit_exceeded: false });
  expect(gpuBaseline([])).toMatchObject({ status: "no_gpu", soft_limit_gb: 10, peak_memory_used_gb: 0 });
});

test("leases of other brokers are told as their holders saw them, those of ours once", () => {
  const granted = { kind: LeaseEvent_Kind.GRANTED, device: "cpu:0", bytes: 5n, waitSeconds: 2, atMs: 20 };
  const revoked = { kind: LeaseEvent_Kind.REVOKED, device: "cpu:0", bytes: 5n, reason: "lost", atMs: 10 };
  const held = runOf("sparse", "s", {
    leaseEvents: [
      { ...granted, leaseId: "ours" },
      { ...granted, leaseId: "theirs" },
      { ...revoked, leaseId: "theirs" },
    ],
  });
  const ofBroker = [
    { kind: "granted", leaseId: "ours", stage: "sparse", model: "s", device: "cpu:0", bytes: 5, atMs: 15 },
  ] as const;
  expect(allLeaseEvents([held], ofBroker)).toEqual([
    {
      kind: "revoked",
      leaseId: "theirs",
      stage: "sparse",
      model: "s",
      device: "cpu:0",
      bytes: 5,
      atMs: 10,
      reason: "lost",
    },
    ...ofBroker,
    {
      kind: "granted",
      leaseId: "theirs",
      stage: "sparse",
      model: "s",
      device: "cpu:0",
      bytes: 5,
      atMs: 20,
      waitMs: 2000,
    },
  ]);
});
