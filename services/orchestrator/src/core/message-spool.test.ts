import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ExportChunksSchema } from "@ragline/contracts";
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ChunkSpool } from "./chunk-spool.js";
import { MessageSpool } from "./message-spool.js";

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "ragline-spool-"));
});
afterAll(() => rm(directory, { recursive: true }));

const chunk = fc.record({ id: fc.uuid(), text: fc.string({ maxLength: 200 }), metadataJson: fc.json() });

test("chunks come back in order and by row, whatever their number and length", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(chunk, { maxLength: 70 }),
      fc.array(fc.nat(), { maxLength: 10 }),
      async (chunks, picks) => {
        const spool = await MessageSpool.create(join(directory, "chunks"), ExportChunksSchema);
        const stored = new ChunkSpool(spool);
        for (const one of chunks) await stored.add(one);
        await stored.complete();
        const read: string[] = [];
        for await (const { firstRow, chunks: batch } of stored.batches()) {
          expect(firstRow).toBe(read.length);
          read.push(...batch.map(({ id }) => id));
        }
        expect(read).toEqual(chunks.map(({ id }) => id));
        const rows = chunks.length > 0 ? picks.map((pick) => pick % chunks.length) : [];
        expect((await stored.rows(rows)).map(({ text, metadataJson }) => ({ text, metadataJson }))).toEqual(
          rows.map((row) => ({ text: chunks[row]?.text, metadataJson: chunks[row]?.metadataJson })),
        );
        await spool.close();
      },
    ),
    { numRuns: 30 },
  );
});

test("a position past the end is an error", async () => {
  const spool = await MessageSpool.create(join(directory, "short"), ExportChunksSchema);
  await spool.append({ chunks: [{ id: "only" }] });
  expect((await spool.at(0)).chunks[0]?.id).toBe("only");
  await expect(spool.at(1)).rejects.toThrow("none at 1");
  await spool.close();
});
