import { OutcomeReason, SparseService, SparseVectorsSchema } from "@ragline/contracts";
import { expect, test } from "vitest";
import { encodeWithModel, sparseBlocks } from "./sparse-stage.js";
import { chunksOf, contextFor, serve, temporarySpool } from "./stage-test-context.fixture.js";

const texts = Array.from({ length: 100 }, (_, i) => `${"word ".repeat(1 + (i % 5))}${i}`);
const queries = ["one question", "another question"];
const wordsOf = (text: string) => text.split(" ").length;

/** A service whose vector of a text is the number of its words at index 7; some texts get none. */
function startScripted(averageLengths: number[], unfit: ReadonlySet<string> = new Set()) {
  return serve(SparseService, {
    async *encode(requests) {
      for await (const { kind } of requests) {
        if (kind.case === "open") {
          averageLengths.push(kind.value.averageLength);
          yield { kind: { case: "ready" as const, value: { model: kind.value.model, dimension: 100, workers: 1 } } };
        } else if (kind.case === "texts") {
          const { firstIndex, inputType, texts: batch } = kind.value;
          const fit = batch.filter((text) => !unfit.has(text));
          const vectors = {
            firstIndex,
            inputType,
            rowLengths: batch.map((text) => (unfit.has(text) ? 0 : 1)),
            indices: fit.map(() => 7),
            values: fit.map(wordsOf),
            tokens: fit.map(() => "word"),
            failures: batch.flatMap((text, position) =>
              unfit.has(text) ? [{ position, reason: OutcomeReason.OUT_OF_MEMORY, detail: "too large" }] : [],
            ),
          };
          yield { kind: { case: "vectors" as const, value: vectors } };
        }
      }
      yield { kind: { case: "summary" as const, value: { batches: 1n } } };
    },
    async measureCorpus(requests) {
      let [count, words] = [0, 0];
      for await (const { texts: batch } of requests) {
        count += batch.length;
        words += batch.reduce((sum, text) => sum + wordsOf(text), 0);
      }
      return { texts: BigInt(count), words: BigInt(words) };
    },
  });
}

async function encode(addresses: readonly string[], isLexical = false) {
  const context = contextFor(SparseService, addresses);
  const spool = await temporarySpool(SparseVectorsSchema);
  const space = await encodeWithModel(
    context,
    "docs",
    { model: "s", isLexical },
    await chunksOf(texts),
    queries,
    spool,
  );
  const values: number[] = [];
  let row = 0;
  for await (const block of sparseBlocks(space)) {
    expect(block.firstIndex).toBe(row);
    row += block.rowLengths.length;
    values.push(...Array.from(block.values));
  }
  expect(row).toBe(texts.length);
  return { context, space, values };
}

test("two services make the vectors of every chunk and query, in order", async () => {
  const { address: one } = await startScripted([]);
  const { address: other } = await startScripted([]);
  const { context, space, values } = await encode([one, other]);
  expect(values).toEqual(texts.map(wordsOf));
  expect(space.queries.map((query) => [...query.values])).toEqual([[2], [2]]);
  expect(space).toMatchObject({ available: 100, run: { summary: { items: 102n } } });
  expect(context.outcomes).toEqual([]);
});

test("BM25 is given the mean length, counted by whichever service is there", async () => {
  const averageLengths: number[] = [];
  const { address } = await startScripted(averageLengths);
  const { context, space } = await encode(["127.0.0.1:1", address], true);
  const mean = texts.reduce((sum, text) => sum + wordsOf(text), 0) / texts.length;
  expect(space.averageLength).toBe(mean);
  expect(averageLengths).toEqual([Math.fround(mean)]);
  expect(context.outcomes.every(({ reason, degraded }) => reason === OutcomeReason.REPLICA_LOST && !degraded)).toBe(
    true,
  );
});

test("texts without a vector have empty rows, and one outcome tells how many and which", async () => {
  const { address } = await startScripted([], new Set([texts[4] ?? "", texts[64] ?? ""]));
  const { space, values } = await encode([address]);
  expect(values).toHaveLength(98);
  expect(space.available).toBe(98);
  const detail = "2 of 100 chunks (id-4, id-64) have no sparse vector of s, so its results lack them: too large";
  expect(space.run?.summary.outcomes).toMatchObject([{ reason: OutcomeReason.OUT_OF_MEMORY, count: 2n, detail }]);
});
