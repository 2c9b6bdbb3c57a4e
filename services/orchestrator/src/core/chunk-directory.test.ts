import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { readChunkFile } from "@ragline/artifacts";
import { resolveSettings } from "@ragline/config";
import { afterEach, beforeEach, expect, test } from "vitest";
import { runSettings } from "../run-settings.js";
import { type ChunkDirectoryOptions, writeChunkDirectory } from "./chunk-directory.js";
import { chunkOptions } from "./chunk-options.js";

let root = "";
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "ragline-chunks-"));
});
afterEach(() => rm(root, { recursive: true, force: true }));

const section = (name: string): string => `## ${name}\n\n${`${name} says something of its own here. `.repeat(12)}\n\n`;
const guide = `# Guide\n\n${["One", "Two", "Three", "Four", "Five"].map(section).join("")}`;

async function save(name: string, text: string | Uint8Array): Promise<void> {
  await mkdir(dirname(join(root, "in", name)), { recursive: true });
  await writeFile(join(root, "in", name), text);
}

const settings = {
  ...resolveSettings(runSettings, { env: {} }).values,
  ensembleModels: ["all-miniLM-l6"],
  chunkTokens: 96,
};

async function write(options: Partial<ChunkDirectoryOptions> = {}) {
  return writeChunkDirectory({
    inputs: [join(root, "in")],
    directory: join(root, "out"),
    chunking: { ...(await chunkOptions(settings, "docs")), threads: 2 },
    signal: new AbortController().signal,
    ...options,
  });
}

async function outputs(): Promise<Record<string, string>> {
  const names = (await readdir(join(root, "out"))).sort();
  return Object.fromEntries(
    await Promise.all(names.map(async (name) => [name, await readFile(join(root, "out", name), "utf8")] as const)),
  );
}

const changes = ({ documents }: Awaited<ReturnType<typeof write>>) =>
  Object.fromEntries(documents.map(({ path, change }) => [path, change]));

test("a document whose chunks are all left out has a file without chunks, and is counted", async () => {
  const links = Array.from({ length: 8 }, (_, i) => `- [Part ${i} of the manual](parts/part-${i}.md#begin)\n`).join("");
  await save("index.md", links);
  const chunking = { ...(await chunkOptions({ ...settings, skipFlagged: ["links"] }, "docs")), threads: 1 };
  const { documents } = await write({ chunking });
  expect(documents).toMatchObject([
    { path: "index.md", chunks: 0, bytes_by_reason: { flagged: links.length - 3, blank: 3 }, change: "added" },
  ]);
  expect((await outputs())["index_chunks.json"]).toBe("[]\n");
  expect(changes(await write({ chunking, incremental: true }))).toEqual({ "index.md": "unchanged" });
  expect((await write({ incremental: true })).documents).toMatchObject([{ chunks: 3, change: "changed" }]);
});

test("each document has its file, and every byte is counted", async () => {
  await save("guide.md", guide);
  await save("notes/short.txt", "A short note.\n");
  await save("zeros.txt", Uint8Array.of(0, 1, 2, 0));
  const summary = await write();
  expect(Object.keys(await outputs())).toEqual([
    ".ragline-chunks.json",
    "guide_chunks.json",
    "notes_short_chunks.json",
  ]);
  expect(summary.skipped).toMatchObject([{ reason: "binary" }]);
  for (const { bytes, bytes_by_reason: counts } of summary.documents)
    expect(Object.values(counts).reduce((sum, count) => sum + count, 0)).toBe(bytes);
  const records = [];
  for await (const record of readChunkFile(join(root, "out", "guide_chunks.json"))) records.push(record);
  expect(records).toHaveLength(summary.documents[0]?.chunks ?? 0);
  for (const { text, metadata } of records) {
    const [start, end, offset] = [metadata["start_char"], metadata["end_char"], metadata["core_offset"]].map(Number);
    expect(text.slice(offset, (offset ?? 0) + (end ?? 0) - (start ?? 0))).toBe(guide.slice(start, end));
    expect(metadata).toMatchObject({
      collection_hints: ["docs"],
      target_model: "all-miniLM-l6",
      payload_version: "1.3",
    });
  }
});

test("the same inputs give the same bytes", async () => {
  await save("guide.md", guide);
  await write();
  const first = await outputs();
  await rm(join(root, "out"), { recursive: true });
  await write();
  expect(await outputs()).toEqual(first);
});

test("an incremental call chunks what changed, says what it was, and removes what is gone", async () => {
  await save("guide.md", guide);
  await save("same.md", "# Same\n\nThis stays.\n");
  await save("gone.md", "# Gone\n\nThis goes.\n");
  expect(changes(await write({ incremental: true }))).toEqual({
    "gone.md": "added",
    "guide.md": "added",
    "same.md": "added",
  });
  const before = await outputs();
  expect(changes(await write({ incremental: true }))).toEqual({
    "gone.md": "unchanged",
    "guide.md": "unchanged",
    "same.md": "unchanged",
  });
  expect(await outputs()).toEqual(before);

  await save("guide.md", guide.replace("Three says", "Three now says"));
  await save("new.md", "# New\n\nThis came.\n");
  await rm(join(root, "in", "gone.md"));
  const summary = await write({ incremental: true });
  expect(changes(summary)).toEqual({ "guide.md": "changed", "new.md": "added", "same.md": "unchanged" });
  expect(summary.removed).toEqual(["gone.md"]);
  const edited = summary.documents.find(({ path }) => path === "guide.md");
  expect(edited?.gone).toBeGreaterThan(0);
  expect(edited?.kept).toBeGreaterThanOrEqual(3);
  expect(Object.keys(await outputs())).toEqual([
    ".ragline-chunks.json",
    "guide_chunks.json",
    "new_chunks.json",
    "same_chunks.json",
  ]);
  const after = await outputs();
  expect(after["same_chunks.json"]).toBe(before["same_chunks.json"]);
  await rm(join(root, "out"), { recursive: true });
  await write();
  expect(await outputs()).toEqual(after);
});

test("other options and damaged chunk files are chunked anew", async () => {
  await save("guide.md", guide);
  await write();
  const before = await outputs();
  await writeFile(join(root, "out", "guide_chunks.json"), "[]");
  await write({ incremental: true });
  expect(await outputs()).toEqual(before);
  const smaller = { ...(await chunkOptions({ ...settings, chunkTokens: 48 }, "docs")), threads: 1 };
  expect(changes(await write({ incremental: true, chunking: smaller }))).toEqual({ "guide.md": "changed" });
});

test("a call that is stopped leaves everything as it was", async () => {
  await save("guide.md", guide);
  await write();
  const before = await outputs();
  await save("guide.md", `${guide}More.\n`);
  const controller = new AbortController();
  const stopped = write({ signal: controller.signal, onProgress: () => controller.abort(new Error("stopped")) });
  await expect(stopped).rejects.toThrow("stopped");
  expect(await outputs()).toEqual(before);
});
