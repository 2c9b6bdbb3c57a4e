import { writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { expect, onTestFinished, test } from "vitest";
import { LineIndex } from "./line-index.js";
import { readLines } from "./read-lines.js";
import { readFrames, writeFrames } from "./spool.js";
import { StagedFile } from "./staged-file.js";
import { temporaryDirectory } from "./temporary-directory.js";

// Some pieces are longer than one read of the file.
const size = fc.oneof(
  { weight: 8, arbitrary: fc.nat(40) },
  { weight: 1, arbitrary: fc.integer({ min: 200_000, max: 600_000 }) },
);

test("frames of any size and content read back in order", async () => {
  const dir = temporaryDirectory(onTestFinished);
  await fc.assert(
    fc.asyncProperty(fc.array(size, { maxLength: 12 }), fc.nat(), async (sizes, seed) => {
      const frames = sizes.map((length, i) => Buffer.alloc(length, (seed + i) % 256));
      const path = join(dir, "spool");
      const file = await StagedFile.create("spool", path, path);
      await writeFrames(file, frames);
      await file.finish();
      let next = 0;
      for await (const frame of readFrames(path))
        expect(frame.equals(frames[next++] ?? Buffer.from("more"))).toBe(true);
      expect(next).toBe(frames.length);
    }),
    { numRuns: 40 },
  );
});

test("lines of any length read back in order and at random, with or without a last line end", async () => {
  const path = join(temporaryDirectory(onTestFinished), "lines");
  await fc.assert(
    fc.asyncProperty(fc.array(size, { minLength: 1, maxLength: 10 }), fc.boolean(), async (sizes, ended) => {
      const lines = sizes.map((length, i) => "é".repeat(length) + String(i));
      writeFileSync(path, lines.join("\n") + (ended ? "\n" : ""));
      const read: string[] = [];
      for await (const { number, bytes } of readLines(path)) read[number] = bytes.toString();
      expect(read).toEqual(lines);
      const index = await LineIndex.build(path);
      const wanted = lines.map((_, i) => i).reverse();
      expect((await index.read(wanted)).map(String)).toEqual(lines.toReversed());
      await expect(index.read([lines.length])).rejects.toThrow(`there is no line ${lines.length}`);
    }),
    { numRuns: 40 },
  );
});
