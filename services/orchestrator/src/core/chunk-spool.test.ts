import { ExportChunksSchema } from "@ragline/contracts";
import { expect, test } from "vitest";
import { ChunkSpool } from "./chunk-spool.js";
import { temporarySpool } from "./stage-test-context.fixture.js";

const chunk = (row: number) => ({ id: `id-${row}`, text: `text ${row}`, metadataJson: "{}" });

test("a reader has the first batches before the last chunk is added, and all of them in the end", async () => {
  const chunks = new ChunkSpool(await temporarySpool(ExportChunksSchema));
  const batches = chunks.batches();
  const begun = chunks.begun();
  for (let row = 0; row < 20; row++) await chunks.add(chunk(row));
  await begun;
  expect((await batches.next()).value).toMatchObject({ firstRow: 0, chunks: { length: 16 } });
  const second = batches.next();
  for (let row = 20; row < 40; row++) await chunks.add(chunk(row));
  expect((await second).value).toMatchObject({ firstRow: 16 });
  expect(chunks.isComplete).toBe(false);
  await chunks.complete();
  expect((await batches.next()).value).toMatchObject({ firstRow: 32, chunks: { length: 8 } });
  expect((await batches.next()).done).toBe(true);
  expect((await chunks.rows([39, 0])).map(({ text }) => text)).toEqual(["text 39", "text 0"]);
});

test("readers fail with what the sources failed with", async () => {
  const chunks = new ChunkSpool(await temporarySpool(ExportChunksSchema));
  const waiting = [chunks.begun(), chunks.batches().next()];
  chunks.fail(new Error("the disk is gone"));
  for (const promise of waiting) await expect(promise).rejects.toThrow("the disk is gone");
});
