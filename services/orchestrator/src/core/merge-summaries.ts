import { create } from "@bufbuild/protobuf";
import { type StageSummary, StageSummarySchema } from "@ragline/contracts";

/**
 * The summaries of several streams over the same work as one: counts are added up, lists put together, the peak is the
 * highest of all. A stream that was lost has told none, so what it did is not counted.
 * @param delivered what is known of the work as a whole, which no stream knows.
 */
export function mergeSummaries(
  summaries: readonly StageSummary[],
  delivered: { readonly items: number; readonly failed: number; readonly seconds: number },
): StageSummary {
  const sum = (count: (summary: StageSummary) => bigint): bigint =>
    summaries.reduce((total, summary) => total + count(summary), 0n);
  const sumNumbers = (count: (summary: StageSummary) => number): number =>
    summaries.reduce((total, summary) => total + count(summary), 0);
  return create(StageSummarySchema, {
    items: BigInt(delivered.items),
    failed: BigInt(delivered.failed),
    seconds: delivered.seconds,
    batches: sum(({ batches }) => batches),
    tokens: sum(({ tokens }) => tokens),
    paddedTokens: sum(({ paddedTokens }) => paddedTokens),
    truncated: sum(({ truncated }) => truncated),
    peakBytes: summaries.reduce((most, { peakBytes }) => (peakBytes > most ? peakBytes : most), 0n),
    workersLost: sumNumbers(({ workersLost }) => workersLost),
    outcomes: summaries.flatMap(({ outcomes }) => outcomes),
    outOfMemory: sum(({ outOfMemory }) => outOfMemory),
    softLimitCrossings: sum(({ softLimitCrossings }) => softLimitCrossings),
    resizes: summaries.flatMap(({ resizes }) => resizes),
    resizeCount: sum(({ resizeCount }) => resizeCount),
    devices: summaries.flatMap(({ devices }) => devices),
    leaseEvents: summaries.flatMap(({ leaseEvents }) => leaseEvents),
    leasesLost: sumNumbers(({ leasesLost }) => leasesLost),
  });
}
