import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { unpackSparse } from "@ragline/vectors";
import fc from "fast-check";
import { expect, onTestFinished, test } from "vitest";
import { JsonBytes } from "./json-bytes.js";
import { appendQdrantPoint, pointPayload } from "./qdrant-jsonl.js";
import { appendSparseLine, readSparseJsonl, sparseModels, sparseRowJson } from "./sparse-jsonl.js";
import { temporaryDirectory } from "./temporary-directory.js";

const finite = fc.float({ noNaN: true, noDefaultInfinity: true });
const sparseRow = fc.uniqueArray(fc.integer({ min: 0, max: 2 ** 32 - 1 }), { maxLength: 6 }).chain((ids) =>
  fc.array(finite, { minLength: ids.length, maxLength: ids.length }).map((values) => ({
    indices: ids.toSorted((a, b) => a - b),
    values,
    tokens: ids.map((id) => `w"${id}`),
  })),
);

test("sparse lines read back per model, rows without entries included", async () => {
  const path = join(temporaryDirectory(onTestFinished), "sparse.jsonl");
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(sparseRow, sparseRow), { minLength: 1, maxLength: 8 }),
      fc.integer({ min: 1, max: 5 }),
      async (rows, rowsPerBlock) => {
        const json = new JsonBytes();
        const scratch = new JsonBytes();
        for (const [i, [a, b]] of rows.entries()) {
          const [first, second] = [a, b].map((row) => sparseRowJson(scratch, row.indices, row.values, row.tokens));
          if (!first || !second) throw new Error("two rows");
          appendSparseLine(json, `id-${i}`, first, [
            ["splade", first.vector],
            ["bm25", second.vector],
          ]);
        }
        writeFileSync(path, json.bytes);
        expect(await sparseModels(path)).toEqual(["splade", "bm25"]);
        for (const [column, model] of (["splade", "bm25"] as const).entries()) {
          const read: { indices: Uint32Array; values: Float32Array }[] = [];
          for await (const block of readSparseJsonl(path, model, rowsPerBlock)) {
            expect(block.firstIndex).toBe(read.length);
            read.push(...unpackSparse(block));
          }
          expect(read).toEqual(
            rows.map((row) => ({
              indices: Uint32Array.from(row[column]?.indices ?? []),
              values: Float32Array.from(row[column]?.values ?? []),
            })),
          );
        }
        const lines = json.bytes
          .toString()
          .trimEnd()
          .split("\n")
          .map((line) => JSON.parse(line));
        expect(lines.map(({ id, tokens }) => [id, tokens])).toEqual(rows.map(([{ tokens }], i) => [`id-${i}`, tokens]));
        for (const line of lines) expect(line.sparse_vector).toEqual(line.sparse_vectors.splade);
      },
    ),
    { numRuns: 60 },
  );
});

test("a damaged sparse line is an error that names file and line", async () => {
  const path = join(temporaryDirectory(onTestFinished), "sparse.jsonl");
  writeFileSync(path, '{"sparse_vectors":{}}\n{"spar');
  const read = async () => {
    for await (const _ of readSparseJsonl(path, "splade")) continue;
  };
  await expect(read()).rejects.toThrow(`Line 2 of ${path} is not valid JSON`);
});

test.each([
  ['{"sparse_vectors":{"splade":{"indices":["1"],"values":[1]}}}', /splade.indices.0: .*expected number/],
  ['{"sparse_vectors":{"splade":{"indices":[1.5],"values":[1]}}}', /splade.indices.0/],
  ['{"sparse_vectors":{"splade":{"indices":[-1],"values":[1]}}}', /splade.indices.0/],
  ['{"sparse_vectors":{"splade":{"indices":[18446744073709551616],"values":[1]}}}', /splade.indices.0/],
  ['{"sparse_vectors":{"splade":{"indices":[1],"values":[1e999]}}}', /splade.values.0/],
  ['{"sparse_vectors":{"splade":{"indices":[1],"values":[NaN]}}}', /is not valid JSON/],
  ['{"sparse_vectors":{"splade":{"indices":[1],"values":[1,2]}}}', /1 indices and 2 values of splade/],
  ["null", /has no sparse vectors that can be read/],
])("a sparse line %s is an error that names file and line", async (line, message) => {
  const path = join(temporaryDirectory(onTestFinished), "sparse.jsonl");
  writeFileSync(path, `${line}\n`);
  const read = async () => {
    for await (const _ of readSparseJsonl(path, "splade")) continue;
  };
  await expect(read()).rejects.toThrow(message);
  await expect(read()).rejects.toThrow(`Line 1 of ${path}`);
});

const context = {
  dense: [
    { name: "bge", dimension: 2, huggingFaceId: "BAAI/bge" },
    { name: "mini", dimension: 1, huggingFaceId: "s/mini" },
  ],
  sparse: true,
};

test("a point is what Qdrant's upsert takes, and its payload keeps metadata and words", () => {
  const scratch = new JsonBytes();
  const splade = sparseRowJson(scratch, [3, 9], [0.6, 0.8], ["cat", "dog"]);
  const empty = sparseRowJson(scratch, [], [], []);
  const payload = pointPayload({ page: 1, text: "not this" }, "hello", context);
  const json = new JsonBytes();
  appendQdrantPoint(json, {
    id: "00000000-0000-5000-8000-000000000000",
    dense: [
      ["bge", Float32Array.of(0.1, -1)],
      ["mini", Float32Array.of(0.5)],
    ],
    sparse: [
      ["splade", splade.vector],
      ["bm25", empty.vector],
    ],
    payload: Buffer.from(JSON.stringify(payload)),
    primarySparse: splade,
  });
  expect(json.bytes.toString()).toBe(
    `${JSON.stringify({
      id: "00000000-0000-5000-8000-000000000000",
      vector: { bge: [0.1, -1], mini: [0.5], splade: { indices: [3, 9], values: [0.6, 0.8] } },
      payload: {
        page: 1,
        text: "hello",
        text_preview: "hello",
        full_text_length: 5,
        model_info: { name: "bge", hf_model_id: "BAAI/bge", dimension: 2 },
        primary_vector_name: "bge",
        dense_vector_names: ["bge", "mini"],
        sparse_vector: {
          indices: [3, 9],
          values: [0.6, 0.8],
          tokens: ["cat", "dog"],
          stats: { weight_norm: 1, unique_terms: 2 },
        },
      },
    })}\n`,
  );
});

test("previews and lengths count characters and never cut one in half", () => {
  const payload = pointPayload({}, "😀".repeat(501), context);
  expect(payload).toMatchObject({ text_preview: "😀".repeat(500), full_text_length: 501 });
  expect(pointPayload({}, "", context)).toMatchObject({ text_preview: "", full_text_length: 0 });
});
