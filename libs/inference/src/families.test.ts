import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { inputText, type ModelEntryInput } from "@ragline/models";
import { type TokenSequence } from "@ragline/tokenizer";
import { describe, expect, test } from "vitest";
import { families, familyEntry, familyFolder, familyReference, openFamily } from "./family.fixture.js";
import { DenseEncoder, openReranker, openSparseEncoder } from "./index.js";
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

test("there is a small model of every family, of less than 200 kB", () => {
  const expected =
    "attentions bert cross-encoder cross-encoder-template cross-encoder-two jina modernbert mpnet nomic pooled qwen3 " +
    "qwen3-cache roberta splade splade-logits xlm-roberta";
  expect(families.toSorted()).toEqual(expected.split(" "));
  for (const name of families) {
    const files = readdirSync(familyFolder(name));
    const bytes = files.reduce((sum, file) => sum + statSync(join(familyFolder(name), file)).size, 0);
    expect([name, bytes < 200_000]).toEqual([name, true]);
  }
});

describe.each(families)("%s", (name) => {
  const { texts, query, ids, results } = familyReference(name);

  test("gives what its authors' library gives, with the same bits in any batch", async () => {
    const { model, session, tokenizer } = await openFamily(name, { maxBatchTokens: 160 });
    try {
      const { entry } = model;
      const { pairTemplate: template } = entry.tokenizer;
      const sequences: TokenSequence[] =
        entry.stage === "rerank"
          ? texts.map((text) => tokenizer.encodePair(query, text, entry.maxTokens, template ? { template } : {}))
          : [
              ...texts.map((text) => tokenizer.encode(inputText(entry, "passage", text), entry.maxTokens)),
              tokenizer.encode(inputText(entry, "query", query), entry.maxTokens),
            ];
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
        const alone = (await run([at])).get(at) ?? new Float32Array();
        expect(Buffer.from(alone.buffer).equals(Buffer.from(found.slice().buffer))).toBe(true);
        const expected = results[at] ?? [];
        if (entry.stage !== "rerank")
          expect(largestDifference(found.subarray(0, expected.length), expected)).toBeLessThan(1e-5);
      }
      if (entry.stage === "rerank") {
        const { scores } = await openReranker(session, tokenizer).score(query, texts);
        expect(largestDifference(scores, results.flat())).toBeLessThan(1e-5);
      }
    } finally {
      await session.close();
    }
  });
});

const denseFamily = "roberta";

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

test("vectors can be cut to their first numbers, which are then normalised again", async () => {
  const { texts, query, cut } = familyReference("roberta");
  const { dimension = 0, results = [] } = cut ?? {};
  const { session, tokenizer } = await openFamily("roberta", { changes: { dimension, nativeDimension: 32 } });
  try {
    const encoder = new DenseEncoder(session, tokenizer);
    const [passages, asked] = [await encoder.encode(texts, "passage"), await encoder.encode([query], "query")];
    expect(largestDifference([...passages.values, ...asked.values], results.flat())).toBeLessThan(1e-5);
  } finally {
    await session.close();
  }
});

test("a passage that is too long for the CrossEncoder is told", async () => {
  const { session, tokenizer } = await openFamily("cross-encoder");
  const { texts, query } = familyReference("cross-encoder");
  try {
    const { truncated } = await openReranker(session, tokenizer).score(query, texts);
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

test("attention-sparse vectors are those of fastembed", async () => {
  const { session, tokenizer } = await openFamily("attentions");
  const { texts, query, bm42 = [] } = familyReference("attentions");
  try {
    const encoder = openSparseEncoder(session, tokenizer);
    const [passages, asked] = [await encoder.encode(texts, "passage"), await encoder.encode([query], "query")];
    const rows = [...passages.rows, ...asked.rows];
    expect(rows.map(({ indices }) => Array.from(indices))).toEqual(bm42.map((row) => row.map(([index]) => index)));
    const weights = bm42.flatMap((row) => row.map(([, weight]) => weight));
    expect(
      largestDifference(
        rows.flatMap(({ values }) => Array.from(values)),
        weights,
      ),
    ).toBeLessThan(1e-5);
    expect(encoder.token(rows[1]?.indices[0] ?? -1)).toBe("a");
  } finally {
    await session.close();
  }
});

const lighter = [
  ["bert", "int8", 0.98],
  ["xlm-roberta", "fp16", 0.999],
  ["jina", "q4", 0.9],
] as const;

test.each(lighter)("weights of %s in %s load", async (name, precision, leastCosine) => {
  const { session, tokenizer } = await openFamily(name, { precision });
  const { texts, results } = familyReference(name);
  try {
    const { values } = await new DenseEncoder(session, tokenizer).encode(texts, "passage");
    texts.forEach((_, row) => {
      const expected = results[row] ?? [];
      const cosine = expected.reduce((sum, value, at) => sum + value * (values[row * expected.length + at] ?? 0), 0);
      expect(cosine).toBeGreaterThan(leastCosine);
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
