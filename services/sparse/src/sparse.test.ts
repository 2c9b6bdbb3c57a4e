import { readFileSync } from "node:fs";
import { join } from "node:path";
import { InputType, OutcomeReason, Precision, SparseService, type SparseVectors, Stage } from "@ragline/contracts";
import { LeaseBroker } from "@ragline/gpu-lease";
import { Bm25 } from "@ragline/lexical";
import { embeddedModelsDir } from "@ragline/models";
import { type Client, createClient, status } from "@ragline/rpc";
import { startService } from "@ragline/service-kit";
import { TokenQueue } from "@ragline/stage";
import { noMetrics } from "@ragline/telemetry";
import { unpackSparse } from "@ragline/vectors";
import fc from "fast-check";
import { expect, onTestFinished, test, vi } from "vitest";
import { sparseHandlers } from "./sparse-handlers.js";

type SparseClient = Client<typeof SparseService>;
type Request = Parameters<SparseClient["encode"]>[0] extends AsyncIterable<infer R> ? R : never;
type Open = Extract<NonNullable<Request["kind"]>, { case: "open" }>["value"];
type Batch = Extract<NonNullable<Request["kind"]>, { case: "texts" }>["value"];

async function startSparse(workers = 1) {
  const broker = new LeaseBroker({ devices: [{ name: "cpu:0", kind: "cpu" }] });
  const observer = { ...noMetrics, countChunks: vi.fn<(outcome: string, count: number) => void>() };
  const service = await startService(
    {
      name: "sparse",
      service: SparseService,
      handlers: () => sparseHandlers({ queue: new TokenQueue({ maxTokens: 1e6 }), leases: broker, observer, workers }),
    },
    { args: ["--log-level", "silent"] },
  );
  const client = createClient(SparseService, service.address);
  onTestFinished(async () => {
    client.close();
    await service.drain(0);
  });
  return { client, broker, observer };
}

async function* requests(open: Open, batches: readonly Batch[]): AsyncGenerator<Request> {
  yield { kind: { case: "open", value: open } };
  for (const batch of batches) yield { kind: { case: "texts", value: batch } };
}

/** Sends everything and reads everything: `ready` first, `summary` last, vectors between. */
async function encode(client: SparseClient, open: Open, ...batches: Batch[]) {
  const replies = [];
  for await (const { kind } of client.encode(requests(open, batches))) replies.push(kind);
  const [first, last] = [replies.at(0), replies.at(-1)];
  if (first?.case !== "ready" || last?.case !== "summary") throw new Error("no ready first, or no summary last");
  const blocks = replies.slice(1, -1).map((kind) => {
    if (kind.case !== "vectors") throw new Error(`"${kind.case}" between ready and summary`);
    return kind.value;
  });
  return { ready: first.value, blocks, rows: blocks.flatMap(rowsOf), summary: last.value };
}

/** The rows of a block, once its layout has been checked. */
function rowsOf(block: SparseVectors) {
  const total = block.rowLengths.reduce((sum, length) => sum + length, 0);
  expect([block.indices.length, block.values.length, block.tokens.length]).toEqual([total, total, total]);
  const rows = unpackSparse({ ...block, firstIndex: Number(block.firstIndex) });
  for (const { indices, values } of rows) {
    expect(indices.every((id, at) => at === 0 || id > (indices[at - 1] ?? id))).toBe(true);
    expect(values.every((value) => value > 0)).toBe(true);
  }
  return rows;
}

const outcomesOf = ({ summary }: Awaited<ReturnType<typeof encode>>) =>
  summary.outcomes.map(({ stage, model, reason, count, degraded }) => ({ stage, model, reason, count, degraded }));

interface Reference {
  readonly rows: { readonly text: string; readonly indices: number[]; readonly values: number[] }[];
}
const { rows: reference } = JSON.parse(
  readFileSync(join(embeddedModelsDir, "splade-tiny", "reference.json"), "utf8"),
) as Reference;
const referenceTexts = reference.map(({ text }) => text);

test("splade-tiny in fp32: what computes is told, and the weights equal the reference, with the word behind each", async () => {
  const { client, broker } = await startSparse(2);
  const open = { model: "ragline/SPLADE-tiny", precision: Precision.FP32, maxBatchTokens: 512 };
  const { ready, blocks, rows, summary } = await encode(
    client,
    open,
    { texts: referenceTexts.slice(0, 5) },
    { firstIndex: 5n, texts: referenceTexts.slice(5) },
  );
  expect(ready).toMatchObject({
    model: "splade-tiny",
    precision: Precision.FP32,
    device: "cpu:0",
    workers: 2,
    dimension: 30522,
    maxTokens: 512,
    leaseId: broker.events[0]?.leaseId,
  });
  expect(ready.files.map(({ name }) => name)).toEqual(["tokenizer.json", "model.onnx", "weights.bin"]);
  expect(blocks.map(({ firstIndex, rowLengths }) => [firstIndex, rowLengths.length])).toEqual([
    [0n, 5],
    [5n, reference.length - 5],
  ]);
  reference.forEach(({ indices, values }, i) => {
    expect([...(rows[i]?.indices ?? [])]).toEqual(indices);
    values.forEach((value, at) => expect(rows[i]?.values[at]).toBeCloseTo(value, 5));
  });
  const words = blocks.flatMap(({ indices, tokens }) => indices.map((id, at) => [id, tokens[at]] as const));
  expect(new Map(words).get(13971)).toBe("lazy");
  expect(summary.items).toBe(BigInt(reference.length));
});

test.each([
  ["fp32", Precision.FP32],
  ["int8", Precision.INT8],
])("splade-tiny in %s: a row has the same bits in whatever batches and order the texts come", async (_, precision) => {
  const { client } = await startSparse(2);
  const texts = referenceTexts.slice(0, 14);
  const alone = await encode(client, { model: "splade-tiny", precision }, ...texts.map((text) => ({ texts: [text] })));
  const open = { model: "splade-tiny", precision, maxBatchTokens: 256 };
  const batch = fc.array(fc.nat(texts.length - 1), { maxLength: 8 });
  await fc.assert(
    fc.asyncProperty(fc.array(batch, { minLength: 6, maxLength: 10 }), async (batches) => {
      const sent = batches.map((picks) => ({ texts: picks.map((pick) => texts[pick] ?? "") }));
      const { rows } = await encode(client, open, ...sent);
      expect(rows).toEqual(batches.flat().map((pick) => alone.rows[pick]));
    }),
    { numRuns: 2, seed: 20261123 },
  );
});

test("BM25 goes through the same rpc, with no lease and no worker, and takes the corpus's own mean length", async () => {
  const { client, broker, observer } = await startSparse();
  const texts = ["Leases are granted, leases are revoked.", "the of and", "naïve 検索 x_1 2026"];
  const firstIndex = 40n;
  const encoded = await encode(client, { model: "Qdrant/bm25", averageLength: 3.5 }, { firstIndex, texts });
  expect(encoded.ready).toMatchObject({
    model: "qdrant-bm25",
    huggingFaceId: "Qdrant/bm25",
    device: "cpu:0",
    files: [],
  });
  expect(encoded.blocks).toMatchObject([{ firstIndex, inputType: InputType.UNSPECIFIED, truncated: [] }]);
  const bm25 = new Bm25({ averageLength: 3.5 });
  const expected = texts.map((text) => bm25.document(text));
  expect(encoded.rows).toEqual(expected.map(({ vector }) => vector));
  expect(encoded.blocks[0]?.tokens).toEqual(expected.flatMap(({ tokens }) => tokens));
  expect(encoded.blocks[0]?.tokens).toContain("leas");
  expect(encoded.summary).toMatchObject({ items: 3n, batches: 1n, truncated: 0n, workersLost: 0 });
  const registryLength = await encode(client, { model: "bm25" }, { texts });
  expect(registryLength.rows[0]).toEqual(new Bm25().document(texts[0] ?? "").vector);
  expect(registryLength.rows[0]).not.toEqual(encoded.rows[0]);
  expect(broker.events).toEqual([]);
  expect(observer.countChunks.mock.calls).toEqual([
    ["ok", 3],
    ["ok", 3],
  ]);
});

test.each([-1, Number.NaN, Number.POSITIVE_INFINITY])(
  "a mean length of %d is an invalid argument",
  async (averageLength) => {
    const { client } = await startSparse();
    await expect(encode(client, { model: "qdrant-bm25", averageLength })).rejects.toMatchObject({
      code: status.INVALID_ARGUMENT,
      reason: "AVERAGE_LENGTH",
      message: expect.stringContaining("give a number of words above 0"),
    });
  },
);

test("a text without words has an empty row, and the summary says so; a query may well be empty", async () => {
  const { client, observer } = await startSparse();
  const batches = [
    { texts: ["", "a lease", "the of and", "…"] },
    { inputType: InputType.QUERY, texts: ["", "which lease is it"] },
  ];
  const lexical = await encode(client, { model: "qdrant-bm25" }, ...batches);
  expect(lexical.blocks.map(({ rowLengths }) => rowLengths)).toEqual([
    [0, 1, 0, 0],
    [0, 1],
  ]);
  expect(lexical.blocks[1]).toMatchObject({ inputType: InputType.QUERY, values: [1], tokens: ["leas"] });
  expect(outcomesOf(lexical)).toEqual([
    { stage: Stage.SPARSE, model: "qdrant-bm25", reason: OutcomeReason.EMPTY_VECTOR, count: 3n, degraded: false },
  ]);
  expect(observer.countChunks).toHaveBeenCalledTimes(2);

  // SPLADE weighs words that a text only brings to mind, so that no text is empty to it.
  const learned = await encode(client, { model: "splade-tiny", precision: Precision.FP32 }, ...batches);
  expect(learned.rows.map(({ indices }) => indices.length > 0)).toEqual(Array(6).fill(true));
  expect(learned.summary.outcomes).toEqual([]);
});

test("what splade does not read of a long text is told", async () => {
  const { client } = await startSparse();
  const long = "lease ".repeat(200_000);
  const encoded = await encode(client, { model: "splade-tiny", precision: Precision.INT8 }, { texts: ["a", long] });
  expect(encoded.blocks[0]?.truncated).toEqual([1]);
  expect(outcomesOf(encoded)).toMatchObject([{ reason: OutcomeReason.TEXT_TRUNCATED, count: 1n }]);
});

async function* corpus(...messages: { model?: string; texts: string[] }[]) {
  yield* messages;
}

test("the words of a corpus are counted as BM25 counts them, over all messages", async () => {
  const { client } = await startSparse();
  const model = "Qdrant/BM25";
  const counted = await client.measureCorpus(
    corpus(
      { model, texts: ["Leases are granted.", "the of"] },
      { texts: [] },
      { model: "ignored", texts: ["x y_z 12"] },
    ),
  );
  expect(counted).toMatchObject({ texts: 3n, words: 5n });
  expect(await client.measureCorpus(corpus())).toMatchObject({ texts: 0n, words: 0n });
});

test.each([
  ["splade-tiny", status.INVALID_ARGUMENT, "NOT_LEXICAL", "model splade-tiny does not count words; only BM25 does"],
  ["bm26", status.NOT_FOUND, "UNKNOWN_MODEL", /^"bm26" is no sparse model of the registry; choose one of: splade-tiny/],
  ["", status.NOT_FOUND, "UNKNOWN_MODEL", /choose one of/],
])("the words of a corpus cannot be counted with model '%s'", async (model, code, reason, message) => {
  const { client } = await startSparse();
  const refused = client.measureCorpus(corpus({ model, texts: ["a"] }));
  await expect(refused).rejects.toMatchObject({ code, reason, message: expect.stringMatching(message) });
});

test("an unknown model is not found, and a dense one neither", async () => {
  const { client } = await startSparse();
  for (const model of ["splade-huge", "bge-small-en-v1.5"]) {
    await expect(encode(client, { model })).rejects.toMatchObject({
      code: status.NOT_FOUND,
      message: expect.stringContaining(
        `"${model}" is no sparse model of the registry; choose one of: splade-tiny (ragline/splade-tiny), qdrant-bm25 (Qdrant/bm25), `,
      ),
    });
  }
});

test.each(["splade-tiny", "qdrant-bm25"])("%s: a second open is an invalid argument", async (model) => {
  const { client, broker } = await startSparse();
  async function* twice(): AsyncGenerator<Request> {
    yield* requests({ model }, []);
    yield* requests({ model }, []);
  }
  const read = async () => {
    for await (const _ of client.encode(twice()));
  };
  await expect(read()).rejects.toMatchObject({ code: status.INVALID_ARGUMENT, reason: "UNEXPECTED_MESSAGE" });
  await expect.poll(() => broker.devices[0]?.grantedBytes).toBe(0);
});
