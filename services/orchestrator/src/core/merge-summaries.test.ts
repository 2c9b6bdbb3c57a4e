import { create } from "@bufbuild/protobuf";
import { OutcomeReason, StageSummarySchema } from "@ragline/contracts";
import { expect, test } from "vitest";
import { mergeSummaries } from "./merge-summaries.js";

test("counts are added up, lists put together, the peak is the highest, and the whole is told by the caller", () => {
  const summaries = [1, 10].map((n) =>
    create(StageSummarySchema, {
      items: BigInt(n),
      batches: BigInt(n),
      tokens: BigInt(2 * n),
      paddedTokens: BigInt(3 * n),
      truncated: BigInt(4 * n),
      seconds: n,
      peakBytes: BigInt(100 - n),
      workersLost: n,
      outcomes: [{ reason: OutcomeReason.WORKER_LOST, count: BigInt(n) }],
      outOfMemory: BigInt(5 * n),
      softLimitCrossings: BigInt(6 * n),
      resizes: [{ fromTokens: n, toTokens: 2 * n }],
      resizeCount: BigInt(7 * n),
      devices: [{ device: `cpu:${n}`, leases: n }],
      leasesLost: 8 * n,
      failed: BigInt(9 * n),
    }),
  );
  const merged = mergeSummaries(summaries, { items: 5, failed: 2, seconds: 3.5 });
  expect(merged).toMatchObject({ items: 5n, failed: 2n, seconds: 3.5, peakBytes: 99n });
  expect(merged).toMatchObject({ batches: 11n, tokens: 22n, paddedTokens: 33n, truncated: 44n, workersLost: 11 });
  expect(merged).toMatchObject({ outOfMemory: 55n, softLimitCrossings: 66n, resizeCount: 77n, leasesLost: 88 });
  expect(merged.outcomes.map(({ count }) => count)).toEqual([1n, 10n]);
  expect(merged.resizes.map(({ fromTokens }) => fromTokens)).toEqual([1, 10]);
  expect(merged.devices.map(({ device }) => device)).toEqual(["cpu:1", "cpu:10"]);
});
