import { writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { expect, onTestFinished, test } from "vitest";
import { ArtifactError } from "./artifact-error.js";
import { type ChunkRecord, readChunkFile, type SkippedRecord } from "./read-chunk-file.js";
import { temporaryDirectory } from "./temporary-directory.js";

function chunkFile(content: string | Uint8Array): string {
  const path = join(temporaryDirectory(onTestFinished), "x_chunks.json");
  writeFileSync(path, content);
  return path;
}

async function read(
  content: string | Uint8Array,
  options?: Parameters<typeof readChunkFile>[1],
): Promise<ChunkRecord[]> {
  const records: ChunkRecord[] = [];
  for await (const record of readChunkFile(chunkFile(content), options)) records.push(record);
  return records;
}

test("metadata comes back untouched, whatever it is, in every shape of file", async () => {
  const metadata = fc.dictionary(fc.string({ maxLength: 5 }), fc.jsonValue({ maxDepth: 3 }), { maxKeys: 4 });
  const record = fc.record({
    text: fc.string({ unit: "binary", minLength: 1, maxLength: 400 }).map((text) => `x${text}`),
    metadata,
  });
  const shape = fc.constantFrom("list", "chunks", "data", "records", "items");
  await fc.assert(
    fc.asyncProperty(
      fc.array(record, { minLength: 1, maxLength: 4 }),
      shape,
      fc.boolean(),
      async (records, key, pretty) => {
        const value =
          key === "list" ? records : { version: { chunks: [1, [2]] }, note: [3], [key]: records, after: { items: [] } };
        const json = JSON.stringify(value, null, pretty ? 2 : 0);
        // What JSON itself keeps: -0 becomes 0.
        expect(await read(json)).toEqual(JSON.parse(JSON.stringify(records)));
      },
    ),
    { numRuns: 60 },
  );
});

test("a key named __proto__ is metadata like any other", async () => {
  const [record] = await read('[{"text":"a","metadata":{"__proto__":{"x":1}}}]');
  expect(JSON.stringify(record?.metadata)).toBe('{"__proto__":{"x":1}}');
});

test("a record without metadata keeps its other keys as metadata; null stands for none", async () => {
  expect(await read('[{"text":"a","source":"s","page":3},{"text":"b","metadata":null}]')).toEqual([
    { text: "a", metadata: { source: "s", page: 3 } },
    { text: "b", metadata: {} },
  ]);
});

test("a byte order mark and texts of a million characters are read", async () => {
  const text = "é".repeat(1_000_000);
  expect(await read(`\uFEFF${JSON.stringify([{ text }])}`)).toEqual([{ text, metadata: {} }]);
});

test("blank texts are left out and told of", async () => {
  const skipped: SkippedRecord[] = [];
  const records = await read('[{"text":"a"},{"text":""},{"text":" \\n"},{"text":"b"}]', {
    onSkipped: (record) => skipped.push(record),
  });
  expect(records.map(({ text }) => text)).toEqual(["a", "b"]);
  expect(skipped.map(({ position }) => position)).toEqual([2, 3]);
});

test.each<[string, string | Uint8Array, RegExp]>([
  ["an empty file", "", /is empty/],
  ["an empty list", "[]", /holds no chunks/],
  ["text that is not JSON", "# Title", /is not valid JSON/],
  ["a list cut short", '[{"text":"a"},{"text":"b"', /after 1 whole records: is not valid JSON/],
  ["a second value", '[{"text":"a"}] []', /is not valid JSON/],
  ["a number", "3", /neither a list nor an object with a list/],
  ["an object without a list", '{"chunks":{"a":[{"text":"x"}]}}', /neither a list nor an object with a list/],
  ["a record that is a string", '[{"text":"a"},"b"]', /record 2 is not an object/],
  ["a record without text", '[{"content":"a"}]', /record 1 has no "text"/],
  ["a text that is a number", '[{"text":1}]', /record 1 has a "text" that is not a string/],
  ["metadata that is a list", '[{"text":"a","metadata":[]}]', /record 1 has "metadata" that is not an object/],
  ["a million open brackets", `[{"text":"a","x":${"[".repeat(1e6)}`, /nested deeper/],
  ["invalid UTF-8", Buffer.from([0x5b, 0x22, 0xff, 0xfe, 0x22, 0x5d]), /is not UTF-8/],
  ["UTF-8 cut in the middle of a character", Buffer.from([0x5b, 0x22, 0xe2, 0x82]), /is not UTF-8|not valid JSON/],
  ["a binary file", Buffer.from(Array.from({ length: 4000 }, (_, i) => (i * 37) % 256)), /is not (UTF-8|valid JSON)/],
])("%s is an ArtifactError that names the file, and no record comes out", async (_, content, message) => {
  const seen: ChunkRecord[] = [];
  const path = chunkFile(content);
  const reading = async () => {
    for await (const record of readChunkFile(path)) seen.push(record);
  };
  const error: unknown = await reading().catch((caught: unknown) => caught);
  expect(error).toBeInstanceOf(ArtifactError);
  expect(String(error)).toMatch(message);
  expect(String(error)).toContain(path);
  expect(seen).toEqual([]);
});

test("a missing file, a directory and a file over the limit are errors", async () => {
  const dir = temporaryDirectory(onTestFinished);
  await expect(readChunkFile(join(dir, "none")).next()).rejects.toThrow(/does not exist/);
  await expect(readChunkFile(dir).next()).rejects.toThrow(/is a directory/);
  await expect(read('[{"text":"abc"}]', { maxBytes: 10 })).rejects.toThrow(
    /has 16 bytes, more than the 10 that are read/,
  );
});
