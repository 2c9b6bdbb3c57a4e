import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { InputType, LongText, OutcomeReason, Precision, Stage } from "@ragline/contracts";
import { embeddedModelsDir } from "@ragline/models";
import fc from "fast-check";
import { expect, test } from "vitest";
import { brief, DenseStream, startDense } from "./dense-service.fixture.js";

const { FP32, INT8 } = Precision;

function reference(folder: string): { texts: string[]; vectors: Float32Array } {
  const path = join(embeddedModelsDir, folder);
  const { texts } = JSON.parse(readFileSync(join(path, "reference.json"), "utf8")) as { texts: string[] };
  const npy = readFileSync(join(path, "reference_vectors.npy"));
  const values = npy.subarray(10 + npy.readUInt16LE(8));
  return { texts, vectors: new Float32Array(Uint8Array.from(values).buffer) };
}

const row = (matrix: Float32Array, at: number) => Buffer.from(matrix.slice(at * 384, (at + 1) * 384).buffer);

test.each([
  ["bge-small-en-v1.5", "BAAI/bge-small-en-v1.5", "bge-small-en-v1.5", 512, "MIT"],
  ["all-miniLM-l6", "sentence-transformers/all-MiniLM-L6-v2", "all-MiniLM-L6-v2", 256, "Apache-2.0"],
])("%s in fp32: what computes is told, and the vectors equal the reference", async (...expected) => {
  const [model, huggingFaceId, folder, maxTokens, license] = expected;
  const { texts, vectors } = reference(folder);
  const { client, broker } = await startDense({ workers: 2 });
  const stream = DenseStream.open(client, {
    model: huggingFaceId.toUpperCase(),
    precision: FP32,
    maxBatchTokens: 1024,
  });
  const ready = await stream.ready();
  expect(ready).toMatchObject({
    model,
    huggingFaceId,
    precision: FP32,
    device: "cpu:0",
    workers: 2,
    threadsPerWorker: 1,
    maxTokens,
    dimension: 384,
    leaseId: broker.events[0]?.leaseId,
    license,
    runtime: expect.stringMatching(/^onnxruntime-node \d+\.\d+/),
  });
  expect(ready.files.map(({ name }) => name)).toEqual(["tokenizer.json", "model.onnx", "weights.bin"]);
  for (const { name, bytes, sha256 } of ready.files) {
    const content = readFileSync(join(embeddedModelsDir, folder, name));
    expect({ bytes: Number(bytes), sha256 }).toEqual({
      bytes: content.length,
      sha256: createHash("sha256").update(content).digest("hex"),
    });
  }
  const { matrix, rows, columns } = await stream.embed(...texts);
  expect({ rows, columns, length: matrix.length }).toEqual({
    rows: texts.length,
    columns: 384,
    length: vectors.length,
  });
  for (let i = 0; i < vectors.length; i++) {
    expect(Math.abs((matrix[i] ?? Number.NaN) - (vectors[i] ?? 0))).toBeLessThan(1e-5);
  }
  const summary = await stream.end();
  expect(summary.items).toBe(BigInt(texts.length));
  expect(Number(summary.batches)).toBeLessThan(texts.length);
  expect(summary.paddedTokens).toBeGreaterThan(summary.tokens);
});

test.each([
  ["fp32", FP32],
  ["int8", INT8],
])("%s: a vector has the same bits in whatever batches and order the texts come", async (_, precision) => {
  const texts = [...reference("all-MiniLM-L6-v2").texts.slice(0, 14), "", "  ", "b c"];
  const single = await startDense();
  const one = DenseStream.open(single.client, { precision });
  await one.ready();
  const alone: Buffer[] = [];
  for (const text of texts) alone.push(row((await one.embed(text)).matrix, 0));
  await one.end();

  const { client } = await startDense({ workers: 2 });
  const stream = DenseStream.open(client, { precision, maxBatchTokens: 256 });
  await stream.ready();
  const batch = fc.array(fc.nat(texts.length - 1), { maxLength: 8 });
  let sent = 0n;
  await fc.assert(
    fc.asyncProperty(fc.array(batch, { maxLength: 6 }), async (batches) => {
      for (const picks of batches) stream.sendTexts(...picks.map((pick) => texts[pick] ?? ""));
      for (const picks of batches) {
        const { firstIndex, rows, matrix } = await stream.vectors();
        expect({ firstIndex, rows }).toEqual({ firstIndex: sent, rows: picks.length });
        sent += BigInt(rows);
        picks.forEach((pick, at) => expect(row(matrix, at).equals(alone[pick] ?? Buffer.of())).toBe(true));
      }
    }),
    { numRuns: 12, seed: 20261123 },
  );
  expect((await stream.end()).items).toBe(sent);
});

test("answers come in the order of the batches, though a later one is done first", async () => {
  const { client } = await startDense({ workers: 2 });
  const stream = DenseStream.open(client, {});
  await stream.ready();
  stream.sendTexts(...Array<string>(16).fill("a ".repeat(254)));
  for (const text of ["a", "b", "c"]) stream.sendTexts(text);
  const seen: bigint[] = [];
  for (let i = 0; i < 4; i++) seen.push((await stream.vectors()).firstIndex);
  expect(seen).toEqual([0n, 16n, 17n, 18n]);
  await stream.end();
});

test("a text of no, one or a million characters has a vector; what is cut is told in the answer and the summary", async () => {
  const { client } = await startDense();
  const stream = DenseStream.open(client, {});
  await stream.ready();
  const fits = "word ".repeat(254);
  const { matrix, truncated } = await stream.embed("", "a", "word ".repeat(200_000), fits, `${fits} more`);
  expect(truncated).toEqual([2, 4]);
  expect(row(matrix, 2).equals(row(matrix, 3))).toBe(true);
  expect(row(matrix, 4).equals(row(matrix, 3))).toBe(true);
  for (let at = 0; at < 5; at++) {
    const vector = matrix.subarray(at * 384, (at + 1) * 384);
    expect(vector.reduce((sum, value) => sum + value * value, 0)).toBeCloseTo(1, 5);
  }
  expect((await stream.embed("a")).truncated).toEqual([]);
  const summary = await stream.end();
  expect(summary).toMatchObject({ items: 6n, batches: 6n, tokens: BigInt(2 + 3 + 3 * 256 + 3), truncated: 2n });
  expect(summary.outcomes).toMatchObject([{ stage: Stage.DENSE, model: "all-miniLM-l6" }]);
  expect(summary.outcomes.map(brief)).toEqual([{ reason: OutcomeReason.TEXT_TRUNCATED, count: 2n, degraded: false }]);
});

test("a passage that is too long is the mean of its parts where that is asked for, and the summary says so", async () => {
  const { client } = await startDense();
  const stream = DenseStream.open(client, { longText: LongText.WINDOW_MEAN });
  await stream.ready();
  const fits = "word ".repeat(254);
  const { matrix, truncated } = await stream.embed(fits, `${fits} and more of it`);
  expect(truncated).toEqual([]);
  expect(row(matrix, 1).equals(row(matrix, 0))).toBe(false);
  const summary = await stream.end();
  expect(summary.truncated).toBe(0n);
  expect(summary.outcomes.map(brief)).toEqual([{ reason: OutcomeReason.TEXT_AVERAGED, count: 1n, degraded: false }]);
});

test("a batch of nothing is answered, and so is a stream of nothing", async () => {
  const { client } = await startDense();
  const stream = DenseStream.open(client, {});
  await stream.ready();
  expect(await stream.embed()).toMatchObject({ rows: 0, columns: 384, matrix: new Float32Array() });
  expect(await stream.end()).toMatchObject({ items: 0n, batches: 0n, outcomes: [] });
  const none = DenseStream.open(client, {});
  await none.ready();
  expect(await none.end()).toMatchObject({ items: 0n, batches: 0n, seconds: 0, outcomes: [] });
});

test("a query gets the model's prefix, a passage does not", async () => {
  const { client } = await startDense();
  const stream = DenseStream.open(client, { model: "bge-small-en-v1.5" });
  await stream.ready();
  const prefix = "Represent this sentence for searching relevant passages: ";
  const passages = await stream.embed("what is a lease?", `${prefix}what is a lease?`);
  stream.send({ case: "texts", value: { firstIndex: 7n, inputType: InputType.QUERY, texts: ["what is a lease?"] } });
  const query = await stream.vectors();
  expect(query).toMatchObject({ firstIndex: 7n, inputType: InputType.QUERY });
  expect(row(query.matrix, 0).equals(row(passages.matrix, 1))).toBe(true);
  expect(row(query.matrix, 0).equals(row(passages.matrix, 0))).toBe(false);
  await stream.end();
});

test.each([
  ["auto", Precision.AUTO],
  ["nothing", Precision.UNSPECIFIED],
])("for a precision of %s the service says which one it took", async (_, precision) => {
  const { client } = await startDense();
  const stream = DenseStream.open(client, { precision });
  expect([FP32, INT8]).toContain((await stream.ready()).precision);
  await stream.end();
});
