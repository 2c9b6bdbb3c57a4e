import { createHash } from "node:crypto";
import { OutcomeReason, RerankService } from "@ragline/contracts";
import { RaglineError } from "@ragline/rpc";
import { expect, test } from "vitest";
import { rerankCandidates } from "./rerank-stage.js";
import { chunksOf, contextFor, serve } from "./stage-test-context.fixture.js";

const texts = Array.from({ length: 40 }, (_, i) => `passage ${i}`);
const queries = Array.from({ length: 30 }, (_, i) => ({ id: `q${i}`, text: `question ${i}` }));
// Eight candidates for each query, best first.
const fused = queries.map((_, i) =>
  Array.from({ length: 8 }, (_candidate, rank) => ({ row: (i + 3 * rank) % 40, score: 8 - rank, sources: {} })),
);
const scoreOf = (query: string, text: string) =>
  createHash("sha256")
    .update(query + text)
    .digest()
    .readInt16LE() / 1000;

/** A rerank service whose nth query of all may fail, and that scores no candidate from some position on. */
function startScripted(script: {
  readonly onQuery?: (query: number) => void;
  readonly unscored?: (id: string, position: number) => OutcomeReason | undefined;
  readonly scores?: (count: number) => number;
}) {
  let count = 0;
  return serve(RerankService, {
    async *score(requests) {
      for await (const { kind } of requests) {
        if (kind.case === "open") {
          const { model, latencyTargetMs, maxBatchItems } = kind.value;
          yield {
            kind: {
              case: "ready" as const,
              value: { model, dimension: 1, device: `${latencyTargetMs} ${maxBatchItems}` },
            },
          };
        } else if (kind.case === "query") {
          script.onQuery?.(count++);
          const { queryId, query, candidates } = kind.value;
          const failures = candidates.flatMap(({ id }, position) => {
            const reason = script.unscored?.(id, position);
            return reason === undefined ? [] : [{ position, reason, detail: "why and what to do" }];
          });
          const failed = new Set(failures.map(({ position }) => position));
          const scores = candidates.map(({ text }, i) => (failed.has(i) ? Number.NaN : scoreOf(query, text)));
          const sent = scores.slice(0, script.scores?.(scores.length) ?? scores.length);
          yield { kind: { case: "scores" as const, value: { queryId, scores: sent, failures, latencySeconds: 0.5 } } };
        }
      }
      yield { kind: { case: "summary" as const, value: { items: 1n } } };
    },
  });
}

async function rerank(addresses: readonly string[], settings: Parameters<typeof contextFor>[2] = {}) {
  const context = contextFor(RerankService, addresses, settings);
  const result = await rerankCandidates(context, "docs", "ce", await chunksOf(texts), queries, fused, 8);
  return { context, result };
}

test("queries are spread over replicas, and a refusal does not show in the scores", async () => {
  const refuse = (refused: number) => (query: number) => {
    if (query === refused) throw new RaglineError("RESOURCE_EXHAUSTED", "QUEUE_FULL", "full", { retryDelayMs: 5 });
  };
  const alone = await startScripted({});
  const services = [await startScripted({ onQuery: refuse(1) }), await startScripted({ onQuery: refuse(4) })];
  const settings = { rerankBatchCap: 12 };
  const { result } = await rerank([alone.address], { settings });
  const shared = await rerank(services.map(({ address }) => address));
  expect(shared.result.candidates).toEqual(result.candidates);
  expect(shared.context.outcomes.map(({ reason }) => reason)).toContain(OutcomeReason.REPLICA_LOST);
  expect(result.run).toMatchObject({ ready: { device: "0 12" }, summary: { items: 240n, outcomes: [] } });
  expect(result.latencySeconds).toHaveLength(30);
  for (const [i, candidates] of result.candidates.entries()) {
    expect(candidates).toHaveLength(8);
    for (const { row, rerankScore } of candidates)
      expect(rerankScore).toBeCloseTo(scoreOf(`question ${i}`, `passage ${row}`), 4);
  }
});

test("candidates without a score keep their fused order behind the others, and one outcome for each reason tells", async () => {
  const unscored = (id: string, position: number) => {
    if (position >= 6) return OutcomeReason.TIMEOUT;
    return id === "id-6" ? OutcomeReason.OUT_OF_MEMORY : undefined;
  };
  const { address } = await startScripted({ unscored });
  const { result } = await rerank([address]);
  const withSix = fused.filter((list) => list.slice(0, 6).some(({ row }) => row === 6)).length;
  expect(withSix).toBeGreaterThan(0);
  for (const [i, candidates] of result.candidates.entries()) {
    const rest = candidates.filter(({ rerankScore }) => rerankScore === undefined);
    const expected = (fused[i] ?? []).filter(({ row }, rank) => rank >= 6 || row === 6);
    expect(rest).toEqual(expected);
    expect(candidates.slice(-rest.length)).toEqual(rest);
    expect(candidates.every(({ rerankScore = 0, mixedScore = 0 }) => Number.isFinite(rerankScore + mixedScore))).toBe(
      true,
    );
  }
  const { outcomes, failed } = result.run.summary;
  expect(failed).toBe(BigInt(60 + withSix));
  const told = (reason: OutcomeReason) => outcomes.find((outcome) => outcome.reason === reason);
  const timeout = { count: 60n, degraded: true, detail: /^60 candidates of 30 queries were not scored within / };
  const memory = { count: BigInt(withSix), degraded: true, detail: /\(q\d+: id-6, .*why and what to do$/ };
  expect(outcomes).toHaveLength(2);
  expect(told(OutcomeReason.TIMEOUT)).toMatchObject({ ...timeout, detail: expect.stringMatching(timeout.detail) });
  expect(told(OutcomeReason.OUT_OF_MEMORY)).toMatchObject({ ...memory, detail: expect.stringMatching(memory.detail) });
  expect(JSON.stringify(outcomes.map(({ detail }) => detail))).not.toMatch(/passage|question/);
});

test("fewer scores than candidates fail the stage", async () => {
  const { address } = await startScripted({ scores: (count) => count - 1 });
  await expect(rerank([address])).rejects.toMatchObject({
    codeName: "INTERNAL",
    message: expect.stringMatching(/sent 7 scores for 8 candidates/),
  });
});
