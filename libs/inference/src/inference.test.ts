import { readFileSync } from "node:fs";
import { join } from "node:path";
import {
  embeddedModelsDir,
  findModel,
  hasGraph,
  type Precision,
  type VerifiedModel,
  verifyModel,
} from "@ragline/models";
import { TextTokenizer } from "@ragline/tokenizer";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { CrossEncoder, DenseEncoder, ModelSession, SparseEncoder } from "./index.js";

const precisions = ["fp32", "int8"] as const;

async function verified(
  key: string,
  stage: "dense" | "sparse" | "rerank",
  precision: Precision,
): Promise<VerifiedModel> {
  const entry = findModel(key, stage);
  if (!hasGraph(entry)) throw new Error(`${key} has no graph`);
  return verifyModel(entry, precision);
}

function readReference<T>(folder: string): T {
  return JSON.parse(readFileSync(join(embeddedModelsDir, folder, "reference.json"), "utf8")) as T;
}

/** The float32 values of an .npy file whose header is as long as it says. */
function readMatrix(folder: string, name: string): Float32Array {
  const bytes = readFileSync(join(embeddedModelsDir, folder, name));
  return new Float32Array(
    bytes.buffer.slice(bytes.byteOffset + 10 + bytes.readUInt16LE(8), bytes.byteOffset + bytes.length),
  );
}

const dot = (a: ArrayLike<number>, b: ArrayLike<number>): number =>
  Array.from(a).reduce((sum, value, i) => sum + value * (b[i] ?? 0), 0);
const largestDifference = (a: ArrayLike<number>, b: ArrayLike<number>): number =>
  Array.from(a).reduce((most, value, i) => Math.max(most, Math.abs(value - (b[i] ?? Number.NaN))), 0);

describe.each([
  ["bge-small-en-v1.5", "bge-small-en-v1.5"],
  ["all-miniLM-l6", "all-MiniLM-L6-v2"],
])("%s", (key, folder) => {
  const { texts } = readReference<{ texts: string[] }>(folder);

  describe.each(precisions)("in %s", (precision) => {
    let session: ModelSession;
    let encoder: DenseEncoder;
    beforeAll(async () => {
      const model = await verified(key, "dense", precision);
      session = await ModelSession.open(model, { workers: 2, maxBatchTokens: 1024 });
      encoder = new DenseEncoder(session, TextTokenizer.fromFile(model.tokenizerPath));
    });
    afterAll(() => session.close());

    test("vectors equal the reference", async () => {
      const { values } = await encoder.encode(texts, "passage");
      if (precision === "fp32") {
        const expected = readMatrix(folder, "reference_vectors.npy");
        expect(values.length).toBe(expected.length);
        expect(largestDifference(values, expected)).toBeLessThan(1e-5);
      } else {
        const expected = readMatrix(folder, "reference_vectors_int8.npy");
        for (let row = 0; row < texts.length; row++) {
          const span = [row * 384, (row + 1) * 384] as const;
          expect(dot(values.subarray(...span), expected.subarray(...span))).toBeGreaterThan(0.985);
        }
      }
    });

    test("a vector has the same bits whatever its batch mates, their number and their order", async () => {
      const alone = await Promise.all(texts.map(async (text) => (await encoder.encode([text], "passage")).values));
      await fc.assert(
        fc.asyncProperty(fc.array(fc.nat(texts.length - 1), { minLength: 1, maxLength: 12 }), async (picks) => {
          const { values } = await encoder.encode(
            picks.map((pick) => texts[pick] ?? ""),
            "passage",
          );
          picks.forEach((pick, row) => {
            expect(
              Buffer.from(values.slice(row * 384, (row + 1) * 384).buffer).equals(
                Buffer.from((alone[pick] ?? values).buffer),
              ),
            ).toBe(true);
          });
        }),
        { numRuns: 12, seed: 20261123 },
      );
    });

    test("every vector has length 1, that of an empty text too", async () => {
      const { values } = await encoder.encode(["", "a"], "passage");
      for (const row of [values.subarray(0, 384), values.subarray(384)]) expect(dot(row, row)).toBeCloseTo(1, 5);
    });

    test("a query gets the model's prefix", async () => {
      const prefix = session.model.entry.prefixes.query;
      const [query, spelled] = await Promise.all([
        encoder.encode(["what is a lease?"], "query"),
        encoder.encode([`${prefix}what is a lease?`], "passage"),
      ]);
      expect(query.values).toEqual(spelled.values);
    });
  });
});

test("on a GPU texts of several batches share calls, and each gets what it gets alone but for the last bits", async () => {
  const { texts } = readReference<{ texts: string[] }>("all-MiniLM-L6-v2");
  const model = await verified("all-miniLM-l6", "dense", "fp32");
  const calls: number[] = [];
  const session = new ModelSession(model, {
    deviceKind: "cuda",
    maxBatchTokens: 2048,
    onCall: (rows) => void calls.push(rows),
  });
  onTestFinished(() => session.close());
  // The calls are the same on whatever computes them.
  await session.attach({ name: "cuda:0", device: { kind: "cpu" }, fencingToken: 0, workers: 1 });
  const encoder = new DenseEncoder(session, TextTokenizer.fromFile(model.tokenizerPath));
  const batches = [...texts, ...texts, ...texts].map((text, at) => [text, texts[(5 * at) % texts.length] ?? ""]);
  const results = await Promise.all(batches.map((batch) => encoder.encode(batch, "passage")));
  const expected = readMatrix("all-MiniLM-L6-v2", "reference_vectors.npy");
  const rowOf = (text: string | undefined) => expected.subarray(texts.indexOf(text ?? "") * 384).subarray(0, 384);
  batches.forEach(([one, other], at) => {
    const values = results[at]?.values ?? new Float32Array();
    expect(largestDifference(values.subarray(0, 384), rowOf(one))).toBeLessThan(1e-5);
    expect(largestDifference(values.subarray(384), rowOf(other))).toBeLessThan(1e-5);
  });
  expect(calls.reduce((sum, rows) => sum + rows, 0)).toBe(2 * batches.length);
  expect(calls.length).toBeLessThan(batches.length);
  expect(session.stats.calls).toBe(calls.length);
});

test.each(precisions)("splade-tiny in %s: weights equal the reference", async (precision) => {
  const { rows } = readReference<{ rows: { text: string; indices: number[]; values: number[] }[] }>("splade-tiny");
  const model = await verified("splade-tiny", "sparse", precision);
  const session = await ModelSession.open(model, { workers: 1 });
  const encoder = new SparseEncoder(session, TextTokenizer.fromFile(model.tokenizerPath));
  const got = await encoder.encode(
    rows.map(({ text }) => text),
    "passage",
  );
  rows.forEach(({ indices, values }, i) => {
    const row = got.rows[i];
    if (!row) throw new Error(`no row ${i}`);
    if (precision === "fp32") {
      expect([...row.indices]).toEqual(indices);
      expect(largestDifference(row.values, values)).toBeLessThan(1e-5);
    } else {
      const weights = new Map(indices.map((index, at) => [index, values[at] ?? 0]));
      const product = [...row.indices].reduce(
        (sum, index, at) => sum + (weights.get(index) ?? 0) * (row.values[at] ?? 0),
        0,
      );
      expect(product / Math.sqrt(dot(row.values, row.values) * dot(values, values))).toBeGreaterThan(0.985);
    }
  });
  expect(encoder.token(101)).toBe("[CLS]");
  await session.close();
});

test.each(precisions)("the cross encoder in %s: logits equal the reference", async (precision) => {
  interface Row {
    query: string;
    passage: string;
    logit: number;
    logit_int8: number;
  }
  const { rows } = readReference<{ rows: Row[] }>("qa-minilm-l6-cross-encoder");
  const model = await verified("qa-minilm-l6-cross-encoder", "rerank", precision);
  const session = await ModelSession.open(model, { workers: 1 });
  const encoder = new CrossEncoder(session, TextTokenizer.fromFile(model.tokenizerPath));
  const scores = await Promise.all(
    rows.map(async ({ query, passage }) => (await encoder.score(query, [passage])).scores[0] ?? Number.NaN),
  );
  if (precision === "fp32") {
    expect(
      largestDifference(
        scores,
        rows.map(({ logit }) => logit),
      ),
    ).toBeLessThan(1e-5);
  } else {
    const expected = rows.map(({ logit_int8 }) => logit_int8);
    expect(dot(scores, expected) / Math.sqrt(dot(scores, scores) * dot(expected, expected))).toBeGreaterThan(0.985);
  }
  await session.close();
});

describe("worker processes", () => {
  const texts = Array.from({ length: 40 }, (_, i) => `Text number ${i} ${"with some more words ".repeat(i % 7)}`);

  test("a worker that is killed is replaced, and the result has the same bits", async () => {
    const model = await verified("all-miniLM-l6", "dense", "int8");
    const lost: (string | null)[] = [];
    const session = await ModelSession.open(model, { workers: 2, onWorkerLost: ({ signal }) => lost.push(signal) });
    const encoder = new DenseEncoder(session, TextTokenizer.fromFile(model.tokenizerPath));
    const undisturbed = await encoder.encode(texts, "passage");
    const [victim] = session.pids;
    const running = encoder.encode([...texts, ...texts], "passage");
    if (victim !== undefined) process.kill(victim, "SIGKILL");
    const { values } = await running;
    expect(lost).toEqual(["SIGKILL"]);
    expect(session.stats.workersLost).toBe(1);
    expect(values.slice(0, undisturbed.values.length)).toEqual(undisturbed.values);
    expect(values.slice(undisturbed.values.length)).toEqual(undisturbed.values);
    await session.close();
    expect(session.pids).toEqual([]);
  });

  test("a graph that does not fit the entry is refused with what was expected and what is there", async () => {
    const model = await verified("splade-tiny", "sparse", "fp32");
    const wrong = { ...model, entry: { ...model.entry, output: { ...model.entry.output, name: "logits" } } };
    await expect(ModelSession.open(wrong, { workers: 1 })).rejects.toThrow(
      /model splade-tiny cannot be opened: .*outputs sparse_weights \(float32 batch_size x 30522\); expected .*output logits/,
    );
  });

  test("work in flight fails when the session is closed", async () => {
    const model = await verified("splade-tiny", "sparse", "fp32");
    const session = await ModelSession.open(model, { workers: 1 });
    const encoder = new SparseEncoder(session, TextTokenizer.fromFile(model.tokenizerPath));
    const failure = encoder.encode(texts, "passage").then(
      () => "finished",
      (error: Error) => error.message,
    );
    await session.close();
    expect(await failure).toBe("the workers of splade-tiny were closed");
    await expect(encoder.encode(["late"], "passage")).rejects.toThrow("were closed");
  });
});
