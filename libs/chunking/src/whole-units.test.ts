import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { parseDocument, type SourceDocument } from "@ragline/documents";
import { findModel, hasGraph, modelDirectory } from "@ragline/models";
import { TextTokenizer } from "@ragline/tokenizer";
import fc from "fast-check";
import { expect, test } from "vitest";
import { countTokens, read, words } from "./documents.fixture.js";
import { type ChunkDocumentOptions, Chunker, chunkDocument, type ScoredChunk } from "./index.js";

const raw = join(resolve(process.env["RAGLINE_DATA"] ?? "../shared/data"), "docling", "raw");

/** Spans of the rows of a document's tables, but for their rules, which may be left out. */
function rowsOf({ text, blocks }: SourceDocument): (readonly [start: number, end: number])[] {
  return blocks
    .filter(({ kind }) => kind === "table")
    .flatMap(({ start, end }) =>
      Array.from(text.slice(start, end).matchAll(/^.*\S/gm), (row) => [start + row.index, row[0]] as const),
    )
    .filter(([, row]) => !/^[|:\- ]+$/.test(row))
    .map(([start, row]) => [start, start + row.length] as const);
}

/** Rows that are in no core as a whole although they would fit. */
function cutRows(document: SourceDocument, chunks: readonly ScoredChunk[], options: ChunkDocumentOptions): string[] {
  const cores = chunks.map(({ metadata }) => [Number(metadata["start_char"]), Number(metadata["end_char"])] as const);
  return rowsOf(document)
    .filter(([start, end]) => !cores.some(([from, to]) => from <= start && to >= end))
    .map(([start, end]) => document.text.slice(start, end))
    .filter((row) => options.countTokens(row) <= options.maxTokens);
}

/** Chunks with a fence that is opened and not closed, or the other way round. */
function brokenFences(chunks: readonly ScoredChunk[]): string[] {
  return chunks.map(({ text }) => text).filter((text) => (text.match(/^[ \t]*(?:```|~~~)/gm)?.length ?? 0) % 2 === 1);
}

test("a row that fits into a chunk is never cut, and code stays in its fence", async () => {
  const cells = fc.array(words, { minLength: 1, maxLength: 3 });
  const table = fc
    .array(cells, { minLength: 1, maxLength: 12 })
    .map((rows) => ["|name|value|", "|----|-----|", ...rows.map((row) => `| ${row.join(" ")} | 1 |`)].join("\n"));
  const opening = fc.constantFrom("```text", '```python title="a rather long name/of_a_file.py" lines=4 {.numbered}');
  const fence = fc
    .tuple(opening, fc.array(words, { minLength: 1, maxLength: 12 }))
    .map(([first, lines]) => [first, ...lines, "```"].join("\n"));
  const part = fc.oneof(table, fence, words, fc.constant("## A heading of some words"));
  await fc.assert(
    fc.asyncProperty(
      fc.array(part, { minLength: 1, maxLength: 6 }),
      fc.integer({ min: 40, max: 120 }),
      async (parts, maxTokens) => {
        const document = await read(parts.join("\n\n"));
        if (document === undefined) return;
        const options = { maxTokens, countTokens, separable: true };
        const { chunks } = chunkDocument(document, options);
        expect(cutRows(document, chunks, options)).toEqual([]);
        expect(brokenFences(chunks)).toEqual([]);
      },
    ),
    { numRuns: 300, seed: 8 },
  );
});

test.skipIf(!existsSync(raw)).each([
  ["bge-small-en-v1.5", 512],
  ["all-miniLM-l6", 256],
  ["bge-small-en-v1.5", 256],
])("no row and no fence of real documentation is broken: %s, %i tokens", async (name, maxTokens) => {
  const model = findModel(name, "dense");
  if (!hasGraph(model)) throw new Error(`${name} has no tokenizer`);
  const tokenizer = TextTokenizer.fromFile(join(modelDirectory(model), model.tokenizer.file.name));
  const { isSeparable: separable, piecesOf } = tokenizer;
  const options = { maxTokens, countTokens: (text: string) => tokenizer.count(text), separable, piecesOf };
  const chunker = new Chunker(options);
  let rows = 0;
  for (const file of readdirSync(raw)) {
    const document = await parseDocument(file, readFileSync(join(raw, file)));
    const { chunks, ledger } = chunker.chunk(document);
    rows += rowsOf(document).length;
    expect(cutRows(document, chunks, options)).toEqual([]);
    expect(brokenFences(chunks)).toEqual([]);
    expect(chunks.filter(({ text }) => tokenizer.count(text) > maxTokens)).toEqual([]);
    expect(Object.values(ledger.byteCounts).reduce((sum, count) => sum + count, 0)).toBe(document.bytes);
  }
  expect(rows).toBeGreaterThan(900);
});
