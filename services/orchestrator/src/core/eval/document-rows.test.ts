import type { RunChunk } from "@ragline/artifacts";
import { expect, test } from "vitest";
import { documentRows } from "./document-rows.js";

const texts = new Map([
  ["1", "The lift of a wing grows with its angle of attack"],
  ["2", "Dough of flour and water is baked"],
]);
const known = { ids: new Set([...texts.keys(), "3"]), texts };

function runOf(chunks: readonly { text: string; metadata: Record<string, unknown> }[]) {
  return {
    dir: "out",
    collection: "docs",
    async *readChunks(): AsyncGenerator<RunChunk> {
      for (const [index, chunk] of chunks.entries()) yield { index, id: String(index), ...chunk };
    },
  };
}

test.each([
  ["an id", { document_id: "1" }, "document_id"],
  ["a number", { doc_id: 1 }, "doc_id"],
  ["the name of a file", { source_file: "corpus/part/1.txt" }, "source_file"],
  ["the key whose values are ids", { chunk_id: "abc-0001", document_name: "1" }, "document_name"],
])("rows are known by %s", async (_, metadata, key) => {
  const found = await documentRows(
    runOf([
      { text: "a wing grows", metadata },
      { text: "nothing", metadata: {} },
    ]),
    known,
    "tiny",
  );
  expect(found).toEqual({
    documentOfRow: ["1", undefined],
    key,
    missingDocuments: 2,
    strangeRows: 1,
    compared: { rows: 1, different: 0 },
  });
});

test("chunks with the ids of other documents are told by their words, whatever is in front of them", async () => {
  const { compared } = await documentRows(
    runOf([
      { text: "Aerodynamics > Wings\n\nThe LIFT of a wing grows with its angle", metadata: { document_id: "1" } },
      { text: "Bees dance to tell each other where flowers are", metadata: { document_id: "2" } },
      { text: "Bees dance", metadata: { document_id: "3" } },
      { text: "…", metadata: { document_id: "1" } },
    ]),
    known,
    "tiny",
  );
  expect(compared).toEqual({ rows: 3, different: 1 });
});

test("a run whose chunks name no document is one of another collection", async () => {
  const run = runOf([{ text: "x", metadata: { document_id: "9" } }]);
  await expect(documentRows(run, known, "tiny")).rejects.toThrow(
    'out: the run is of the collection "docs", and none of its 1 chunks names a document of tiny',
  );
});
