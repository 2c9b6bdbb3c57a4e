import type { ModelEntryInput } from "@ragline/models";
import { describe, expect, test } from "vitest";
import { families, familyEntry, familyReference, openFamily } from "./family.fixture.js";
import { CrossEncoder, DenseEncoder, openReranker, openSparseEncoder, type TokenSequence } from "./index.js";
import type { CallResult } from "./worker-protocol.js";

const largestDifference = (a: ArrayLike<number>, b: ArrayLike<number>): number =>
  a.length === b.length
    ? Array.from(a).reduce((most, value, i) => Math.max(most, Math.abs(value - (b[i] ?? Number.NaN))), 0)
    : Number.POSITIVE_INFINITY;

/** Each sequence's part of the results, as one dense row. */
function rowsOf(result: CallResult, count: number, width: number): Float32Array[] {
  if (result.kind === "matrix") {
    const columns = result.values.length / count;
    return Array.from({ length: count }, (_, row) => result.values.slice(row * columns, (row + 1) * columns));
  }
  let at = 0;
  return Array.from(result.rowLengths, (length) => {
    const row = new Float32Array(width);
    for (const end = at + length; at < end; at++) row[result.indices[at] ?? 0] = result.values[at] ?? 0;
    return row;
  });
}

test("there is a small model of every family", () => {
  expect(families).toEqual(expect.arrayContaining(["cross-encoder", "mpnet", "qwen3", "splade"]));
});

describe.each(families)("%s", (name) => {
  const { texts, query, ids, results } = familyReference(name);

  test("equals the original model, with the same bits in any batch", async () => {
    const { model, session, tokenizer } = await openFamily(name, { maxBatchTokens: 160 });
    try {
      const { entry } = model;
      const encode = (text: string, kind: "query" | "passage") => {
        const { instruction, prefixes } = entry;
        const told = kind === "query" ? instruction : undefined;
        const whole = told
          ? told.template.replace("{instruction}", told.default).replace("{text}", text)
          : prefixes[kind] + text;
        return tokenizer.encode(whole, entry.maxTokens);
      };
      const sequences: TokenSequence[] =
        entry.stage === "rerank"
          ? texts.map((text) => tokenizer.encodePair(query, text, entry.maxTokens))
          : [...texts.map((text) => encode(text, "passage")), encode(query, "query")];
      expect(sequences.map((sequence) => Array.from(sequence.ids))).toEqual(ids);

      const run = async (order: readonly number[]) => {
        const rows = new Map<number, Float32Array>();
        await session.run(
          order.map((at) => sequences[at] as TokenSequence),
          (result, positions) => {
            const found = rowsOf(result, positions.length, entry.dimension);
            positions.forEach((position, row) => rows.set(order[position] ?? -1, found[row] ?? new Float32Array()));
          },
        );
        return rows;
      };
      const all = sequences.map((_, at) => at);
      const together = await run([...all, ...all].reverse());
      for (const at of all) {
        const found = together.get(at) ?? new Float32Array();
        const expected = results[at] ?? [];
        const [logit, other] = expected;
        // Of two logits the difference is the score.
        const score = entry.score.logits === 2 ? [(other ?? 0) - (logit ?? 0)] : expected;
        expect(largestDifference(found.subarray(0, score.length), score)).toBeLessThan(1e-5);
        const alone = (await run([at])).get(at) ?? new Float32Array();
        expect(Buffer.from(alone.buffer).equals(Buffer.from(found.slice().buffer))).toBe(true);
      }
    } finally {
      await session.close();
    }
  });
});

const denseFamily = "mpnet";

test("a bi-encoder scores by the cosine of both vectors", async () => {
  const reranking: Partial<ModelEntryInput> = { stage: "rerank", loader: "bi_encoder" };
  const { session, tokenizer } = await openFamily(denseFamily, { changes: reranking });
  const { texts, query } = familyReference(denseFamily);
  try {
    const { scores } = await openReranker(session, tokenizer).score(query, texts);
    const dense = new DenseEncoder(session, tokenizer);
    const [asked, found] = [await dense.encode([query], "query"), await dense.encode(texts, "passage")];
    const width = asked.values.length;
    const expected = texts.map((_, row) =>
      asked.values.reduce((sum, value, at) => sum + value * (found.values[row * width + at] ?? 0), 0),
    );
    expect(largestDifference(scores, expected)).toBeLessThan(1e-6);
  } finally {
    await session.close();
  }
});

test("the activation of the entry makes a score of a logit", async () => {
  const { session, tokenizer } = await openFamily("cross-encoder");
  const { texts, query, results } = familyReference("cross-encoder");
  try {
    const { scores, truncated } = await new CrossEncoder(session, tokenizer).score(query, texts);
    const sigmoids = results.map(([logit = 0]) => 1 / (1 + Math.exp(-logit)));
    expect(largestDifference(scores, sigmoids)).toBeLessThan(1e-5);
    expect(truncated).toEqual([texts.length - 1]);
  } finally {
    await session.close();
  }
});

test("a passage that is too long is the mean of its windows where that is asked for", async () => {
  const { session, tokenizer, model } = await openFamily(denseFamily);
  const { texts } = familyReference(denseFamily);
  const long = `${texts[9]} ${texts[3]} ${texts[2]}`;
  try {
    const [cut, averaged] = await Promise.all(
      (["truncate", "window-mean"] as const).map((longText) =>
        new DenseEncoder(session, tokenizer, { longText }).encode(["a", long], "passage"),
      ),
    );
    expect([cut?.truncated, cut?.averaged]).toEqual([[1], []]);
    expect([averaged?.truncated, averaged?.averaged]).toEqual([[], [1]]);
    const width = model.entry.dimension;
    // A text that fits has the same bits either way.
    expect(averaged?.values.subarray(0, width)).toEqual(cut?.values.subarray(0, width));
    const windows = tokenizer.encodeWindows("", long, model.entry.maxTokens);
    const vectors = new Float32Array(windows.length * width);
    await session.run(windows, (result, positions) => {
      positions.forEach((position, row) =>
        vectors.set(result.values.subarray(row * width, (row + 1) * width), position * width),
      );
    });
    const sums = Array.from({ length: width }, (_, at) =>
      windows.reduce((sum, { ids }, window) => sum + ids.length * (vectors[window * width + at] ?? 0), 0),
    );
    const length = Math.hypot(...sums);
    const expected = sums.map((sum) => sum / length);
    expect(largestDifference(averaged?.values.subarray(width) ?? [], expected)).toBeLessThan(1e-6);
  } finally {
    await session.close();
  }
});

test.runIf(families.includes("attentions"))("attention-sparse vectors weigh stems by attention", async () => {
  const { session, tokenizer } = await openFamily("attentions");
  try {
    const encoder = openSparseEncoder(session, tokenizer);
    const { rows } = await encoder.encode(["a", "", "a, a!"], "passage");
    const [single, empty, repeated] = rows;
    expect(empty?.indices.length).toBe(0);
    expect(single?.indices.length).toBe(1);
    expect(repeated?.indices).toEqual(single?.indices);
    expect(encoder.token(single?.indices[0] ?? -1)).toBe("a");
    const attention = familyReference("attentions").results[1]?.[1] ?? Number.NaN;
    expect(single?.values[0]).toBeCloseTo(Math.log(1 + attention) ** 0.5, 5);
    const query = await encoder.encode(["a a"], "query");
    expect(query.rows[0]).toEqual({ indices: single?.indices, values: Float32Array.of(1) });
  } finally {
    await session.close();
  }
});

test.runIf(families.includes("bert")).each(["int8", "fp16", "q4"] as const)("weights in %s load", async (precision) => {
  const { session, tokenizer } = await openFamily("bert", { precision });
  const { texts, results } = familyReference("bert");
  try {
    const { values } = await new DenseEncoder(session, tokenizer).encode(texts, "passage");
    texts.forEach((_, row) => {
      const expected = results[row] ?? [];
      const cosine = expected.reduce((sum, value, at) => sum + value * (values[row * expected.length + at] ?? 0), 0);
      expect(cosine).toBeGreaterThan(precision === "q4" ? 0.8 : 0.98);
    });
  } finally {
    await session.close();
  }
});

const misfits: [string, string, Partial<ModelEntryInput>, RegExp][] = [
  [
    "an input that is not there",
    "qwen3",
    { inputs: { tokenTypes: "token_type_ids" } },
    /it has no input token_type_ids/,
  ],
  ["an input that is not named", "cross-encoder", { inputs: {} }, /the entry does not name its input token_type_ids/],
  [
    "another output",
    "qwen3",
    { output: { name: "embedding", head: "pooled" } },
    /it has no output embedding.*outputs last_hidden_state \(float32 batch x length x 32\); expected .*output embedding/,
  ],
  ["another shape", "qwen3", { output: { name: "last_hidden_state", head: "pooled" } }, /has 3 dimensions, not 2/],
  ["another width", "qwen3", { dimension: 64 }, /is 32 wide, not 64/],
];

test.each(misfits)("a graph with %s is refused", async (_, name, changes, message) => {
  await expect(openFamily(name, { changes })).rejects.toThrow(message);
});

test("an entry of a family is a registry entry", () => {
  for (const name of families) expect(familyEntry(name).key).toBe(name);
});
