import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findModel, hasGraph, modelDirectory } from "@ragline/models";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type ChunkEvent, chunkInputs } from "./index.js";

const model = findModel("all-miniLM-l6", "dense");
if (!hasGraph(model)) throw new Error("the model has no tokenizer");
const options = { maxTokens: 64, tokenizerPath: join(modelDirectory(model), model.tokenizer.file.name) };
let root = "";

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "ragline-chunk-"));
});

afterEach(() => rm(root, { recursive: true, force: true }));

async function fill(directory: string): Promise<string> {
  const path = join(root, directory);
  await mkdir(path);
  await writeFile(join(path, "a.md"), `# A\n\n${"word ".repeat(150)}`);
  await writeFile(join(path, "b.txt"), Uint8Array.of(0xff));
  await writeFile(join(path, "c.html"), "<h1>C</h1><script>12</script><p>text");
  await writeFile(join(path, "d.bin"), "x");
  await writeFile(join(path, "e.md"), "");
  return path;
}

async function collect(inputs: string[]): Promise<ChunkEvent[]> {
  const events: ChunkEvent[] = [];
  for await (const event of chunkInputs(inputs, options)) events.push(event);
  return events;
}

test("chunks come before their document, and a bad file stops no other", async () => {
  const path = await fill("x");
  const events = await collect([path]);
  expect(events.map((event) => (event.type === "skipped" ? `${event.type} ${event.reason}` : event.type))).toEqual([
    "skipped unsupported",
    "chunk",
    "chunk",
    "chunk",
    "document",
    "skipped invalid_utf8",
    "chunk",
    "document",
    "skipped empty",
  ]);
  expect(events.filter(({ type }) => type === "document")).toMatchObject([
    {
      path: join(path, "a.md"),
      relativePath: "a.md",
      chunks: 3,
      sha256: expect.stringMatching(/^[0-9a-f]{64}$/),
      ledger: { bytes: 755 },
    },
    {
      relativePath: "c.html",
      chunks: 1,
      ledger: {
        bytes: 36,
        characters: 9,
        characterCounts: { core: 7, skipped: 2 },
        byteCounts: { core: 5, skipped: 19 },
      },
    },
  ]);
});

test("the encoding of a document is told", async () => {
  await writeFile(join(root, "a.txt"), Buffer.from("un caf\u00e9 noir", "latin1"));
  await writeFile(join(root, "b.md"), "na\u00efve");
  const documents = (await collect([root])).filter(({ type }) => type === "document");
  expect(documents).toMatchObject([{ encoding: "windows-1252" }, { encoding: "utf-8" }]);
});

test("the same bytes give the same chunks wherever they lie", async () => {
  const chunks = async (directory: string) =>
    (await collect([await fill(directory)])).filter(({ type }) => type === "chunk");
  expect(JSON.stringify(await chunks("x"))).toBe(JSON.stringify(await chunks("y")));
});

test("an aborted signal stops it with its reason", async () => {
  const abort = new AbortController();
  const events = chunkInputs([await fill("x")], { ...options, signal: abort.signal });
  await events.next();
  await events.next();
  abort.abort(new Error("interrupted"));
  await expect(events.next()).rejects.toThrow("interrupted");
});
