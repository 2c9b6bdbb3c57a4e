import { readFileSync } from "node:fs";
import { join } from "node:path";
import { OutcomeReason, OutcomeSource, Precision, RerankService, Stage } from "@ragline/contracts";
import { LeaseBroker } from "@ragline/gpu-lease";
import { embeddedModelsDir } from "@ragline/models";
import { type Client, createClient, status } from "@ragline/rpc";
import { startService } from "@ragline/service-kit";
import { TokenQueue } from "@ragline/stage";
import { noMetrics } from "@ragline/telemetry";
import fc from "fast-check";
import { expect, onTestFinished, test, vi } from "vitest";
import { rerankHandlers } from "./rerank-handlers.js";

type RerankClient = Client<typeof RerankService>;
type Request = Parameters<RerankClient["score"]>[0] extends AsyncIterable<infer R> ? R : never;
type Open = Extract<NonNullable<Request["kind"]>, { case: "open" }>["value"];

/** A query and its passages. */
type Query = readonly [query: string, ...passages: string[]];

async function startRerank(workers = 1) {
  const broker = new LeaseBroker({ devices: [{ name: "cpu:0", kind: "cpu" }] });
  const observer = { ...noMetrics, countChunks: vi.fn<(outcome: string, count: number) => void>() };
  const service = await startService(
    {
      name: "rerank",
      service: RerankService,
      handlers: () => rerankHandlers({ queue: new TokenQueue({ maxTokens: 1e6 }), leases: broker, observer, workers }),
    },
    { args: ["--log-level", "silent"] },
  );
  const client = createClient(RerankService, service.address);
  onTestFinished(async () => {
    client.close();
    await service.drain(0);
  });
  return { client, broker, observer };
}

async function* requests(open: Open, queries: readonly Query[]): AsyncGenerator<Request> {
  yield { kind: { case: "open", value: { model: "qa-minilm-l6-cross-encoder", ...open } as Open } };
  for (const [i, [query, ...passages]] of queries.entries()) {
    const candidates = passages.map((text, at) => ({ id: `${i}-${at}`, text }));
    yield { kind: { case: "query", value: { queryId: `q${i}`, query, candidates } } };
  }
}

/** Sends everything and reads everything: `ready` first, `summary` last, scores between. */
async function score(client: RerankClient, open: Open, ...queries: Query[]) {
  const replies = [];
  for await (const { kind } of client.score(requests(open, queries))) replies.push(kind);
  const [first, last] = [replies.at(0), replies.at(-1)];
  if (first?.case !== "ready" || last?.case !== "summary") throw new Error("no ready first, or no summary last");
  const results = replies.slice(1, -1).map((kind) => {
    if (kind.case !== "scores") throw new Error(`"${kind.case}" between ready and summary`);
    return kind.value;
  });
  return { ready: first.value, results, scores: results.map(({ scores }) => scores), summary: last.value };
}

interface Reference {
  readonly rows: { readonly query: string; readonly passage: string; readonly logit: number }[];
}
const folder = join(embeddedModelsDir, "qa-minilm-l6-cross-encoder");
const { rows: reference } = JSON.parse(readFileSync(join(folder, "reference.json"), "utf8")) as Reference;

test("in fp32 the logits equal the reference, and what computes is told", async () => {
  const { client, broker, observer } = await startRerank(2);
  const pairs = reference.map(({ query, passage }): Query => [query, passage]);
  const { ready, scores, summary } = await score(client, { precision: Precision.FP32 }, ...pairs);
  expect(ready).toMatchObject({
    model: "qa-minilm-l6-cross-encoder",
    huggingFaceId: "ragline/qa-minilm-l6-cross-encoder",
    precision: Precision.FP32,
    device: "cpu:0",
    workers: 2,
    dimension: 1,
    maxTokens: 512,
    leaseId: broker.events[0]?.leaseId,
  });
  expect(ready.files.map(({ name }) => name)).toEqual(["tokenizer.json", "model.onnx", "weights.bin"]);
  reference.forEach(({ logit }, i) => {
    expect(scores[i]).toHaveLength(1);
    expect(Math.abs((scores[i]?.[0] ?? Number.NaN) - logit)).toBeLessThan(1e-5);
  });
  expect(summary).toMatchObject({ items: BigInt(reference.length), workersLost: 0 });
  const counted = observer.countChunks.mock.calls.reduce((sum, [, count]) => sum + count, 0);
  expect(counted).toBe(reference.length);
});

const passages = [
  "A lease is granted for a device until it is released.",
  "",
  "a",
  "The quick brown fox jumps over the lazy dog.",
  "Leases are revoked when another run needs the device. ".repeat(6),
  "Größe, naïve café, 検索",
];
const questions = ["how is a lease revoked?", "which animal jumps?", ""];

test.each([
  ["fp32", Precision.FP32],
  ["int8", Precision.INT8],
])("in %s the score of a pair has the same bits whatever is scored with it", async (_, precision) => {
  const { client } = await startRerank(2);
  const pairs = questions.flatMap((query) => passages.map((passage): Query => [query, passage]));
  const alone = await score(client, { precision }, ...pairs);
  const scoreOf = new Map(pairs.map(([query, passage], i) => [`${query}|${passage}`, alone.scores[i]?.[0]]));
  expect(new Set(scoreOf.values()).size).toBe(pairs.length);
  const query = fc.tuple(fc.constantFrom(...questions), fc.array(fc.constantFrom(...passages), { maxLength: 8 }));
  await fc.assert(
    fc.asyncProperty(fc.array(query, { minLength: 4, maxLength: 8 }), async (queries) => {
      const sent = queries.map(([text, candidates]): Query => [text, ...candidates]);
      const { results, scores } = await score(client, { precision, maxBatchTokens: 256 }, ...sent);
      expect(results.map(({ queryId }) => queryId)).toEqual(queries.map((__, i) => `q${i}`));
      expect(scores).toEqual(queries.map(([text, all]) => all.map((passage) => scoreOf.get(`${text}|${passage}`))));
    }),
    { numRuns: 2, seed: 20261123 },
  );
});

test("queries are answered in order, though a later one is done first; the best passage has the best score", async () => {
  const { client } = await startRerank(2);
  const long: Query = ["how is a lease revoked?", ...Array<string>(12).fill("lease ".repeat(500))];
  const { results, scores } = await score(client, {}, long, ["how is a lease revoked?", ...passages], ["a", "b"]);
  expect(results.map(({ queryId, scores: each }) => [queryId, each.length])).toEqual([
    ["q0", 12],
    ["q1", 6],
    ["q2", 1],
  ]);
  for (const { latencySeconds } of results) expect(latencySeconds).toBeGreaterThan(0);
  const best = scores[1]?.indexOf(Math.max(...scores[1])) ?? -1;
  expect(passages[best]).toContain("revoked");
});

test("a query without candidates has a typed outcome instead of scores, and the others are scored", async () => {
  const { client } = await startRerank();
  const { results, summary } = await score(client, {}, ["first", "a"], ["none"], ["last", "b"]);
  expect(results.map(({ scores }) => scores.length)).toEqual([1, 0, 1]);
  expect(results.map(({ outcome }) => outcome === undefined)).toEqual([true, false, true]);
  expect(results[1]?.outcome).toMatchObject({
    stage: Stage.RERANK,
    reason: OutcomeReason.NO_CANDIDATES,
    source: OutcomeSource.RUNTIME,
    model: "qa-minilm-l6-cross-encoder",
    count: 1n,
    detail: "a query had no candidates to score",
  });
  expect(summary).toMatchObject({ items: 2n, outcomes: [] });
});

test("of a long pair the passage is cut first; each is counted, and the score is that of what was read", async () => {
  const { client, observer } = await startRerank();
  const room = 512 - 3 - 1;
  const fits = "lease ".repeat(room);
  const query: Query = ["lease", fits, `${fits}lease`, "lease ".repeat(160_000), "a"];
  const { scores, summary } = await score(client, { precision: Precision.INT8 }, query, ["lease ".repeat(600), "a"]);
  const [[exact, over, million] = []] = scores;
  expect([over, million]).toEqual([exact, exact]);
  expect(scores.flat().every(Number.isFinite)).toBe(true);
  expect(summary).toMatchObject({ items: 5n, truncated: 3n });
  expect(summary.outcomes).toMatchObject([
    { stage: Stage.RERANK, reason: OutcomeReason.TEXT_TRUNCATED, count: 3n, degraded: false },
  ]);
  const counted = (outcome: string) =>
    observer.countChunks.mock.calls.reduce((sum, [each, count]) => sum + (each === outcome ? count : 0), 0);
  expect({ ok: counted("ok"), truncated: counted("truncated") }).toEqual({ ok: 2, truncated: 3 });
});

test("a stream without queries has a summary of nothing", async () => {
  const { client } = await startRerank();
  expect((await score(client, {})).summary).toMatchObject({ items: 0n, batches: 0n, outcomes: [] });
});

test("an unknown model is not found", async () => {
  const { client } = await startRerank();
  await expect(score(client, { model: "jina-reranker" })).rejects.toMatchObject({
    code: status.NOT_FOUND,
    message: expect.stringContaining(
      '"jina-reranker" is no rerank model of the registry; choose one of: qa-minilm-l6-cross-encoder (ragline/qa-minilm-l6-cross-encoder), ',
    ),
  });
});

test("a second open is an invalid argument and frees the device", async () => {
  const { client, broker } = await startRerank();
  async function* twice(): AsyncGenerator<Request> {
    yield* requests({}, []);
    yield* requests({}, []);
  }
  const read = async () => {
    for await (const _ of client.score(twice()));
  };
  await expect(read()).rejects.toMatchObject({
    code: status.INVALID_ARGUMENT,
    message: 'after "open" the stream takes only "query", not "open"',
  });
  await expect.poll(() => broker.devices[0]?.grantedBytes).toBe(0);
});
