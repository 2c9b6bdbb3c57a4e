import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, beforeEach, expect, test } from "vitest";
import {
  bm25,
  client,
  collect,
  companion,
  connect,
  content,
  denseKind,
  type Files,
  freshOutputDir,
  ids,
  type Kind,
  manifestOf,
  type Options,
  outputDir,
  type Request,
  send,
  sha256,
  sparseKind,
} from "./export-fixture.js";

beforeAll(connect);
beforeEach(freshOutputDir);

const without = (test: (kind: Kind) => boolean) => () => content().filter((kind) => !test(kind));
const instead =
  (test: (kind: Kind) => boolean, ...kinds: Kind[]) =>
  () =>
    content().flatMap((kind) => (test(kind) ? kinds : [kind]));
const isDense = (space: string) => (kind: Kind) => kind.case === "dense" && kind.value.space === space;
const isSparse = (space: string) => (kind: Kind) => kind.case === "sparse" && kind.value.space === space;
const isCase = (name: Kind["case"]) => (kind: Kind) => kind.case === name;
const opened = (open: NonNullable<Options["open"]>) => () => content({ open });
const badRow = Float32Array.from(companion, (value, i) => (i === 5 ? Number.NaN : value));
const chunk = (change: object): Kind => ({
  case: "chunks",
  value: { chunks: [{ id: ids[0] ?? "", text: "x", metadataJson: "{}", ...change }] },
});

test.each<[string, () => Kind[], RegExp]>([
  ["no open", without(isCase("open")), /first message of an export must be "open"/],
  ["two opens", () => [...content().slice(0, 1), ...content()], /does not take "open"/],
  [
    "an empty message",
    instead(isCase("rerank"), { case: undefined } as unknown as Kind),
    /does not take an empty message/,
  ],
  ["no finish", without(isCase("finish")), /stream ended before the manifest/],
  ["a relative directory", opened({ outputDir: "out" }), /"out" must be an absolute path/],
  ["a prefix with a separator", opened({ prefix: "../docs" }), /export prefix "..\/docs" has a path separator/],
  ["a hidden prefix", opened({ prefix: ".." }), /starts with a dot/],
  ["a collection that is no file name", opened({ collection: "a/b" }), /export prefix "a\/b" has a path separator/],
  [
    "a model name with a separator",
    opened({ dense: [{ name: "BAAI/bge", dimension: 3 }] }),
    /dense model name "BAAI\/bge" has a path separator/,
  ],
  ["no dense model", opened({ dense: [] }), /has no dense model/],
  ["a model twice", opened({ sparse: [{ name: "bge" }] }), /bge is named twice/],
  ["no chunks", opened({ chunkCount: 0n }), /the chunk count is 0/],
  [
    "a summary named as a data file",
    () => content({ open: { summaryPath: join(outputDir, "docs_texts.json") } }),
    /is the name of a data file/,
  ],
  [
    "an unknown dense model",
    instead(isDense("mini"), denseKind("maxi", companion, 4)),
    /no dense model "maxi". Its dense models: bge, mini/,
  ],
  ["an unknown sparse model", instead(isSparse("bm25"), sparseKind("bm26", bm25)), /no sparse model "bm26"/],
  ["rows missing", without(isDense("mini")), /Rows are missing of: mini \(0 of 4\)/],
  ["chunks missing", without((kind) => kind.case === "chunks"), /Rows are missing of: chunks \(0 of 4\)/],
  ["sparse rows missing", without(isSparse("splade")), /Rows are missing of: splade \(0 of 4\)/],
  [
    "a gap",
    instead(
      isDense("mini"),
      denseKind("mini", companion.subarray(0, 2), 1),
      denseKind("mini", companion.subarray(4), 2, 2),
    ),
    /mini starts at row 2, but row 1 is next/,
  ],
  [
    "a block twice",
    instead(isDense("mini"), denseKind("mini", companion, 4), denseKind("mini", companion, 4)),
    /mini starts at row 0, but row 4 is next/,
  ],
  [
    "rows too many",
    instead(isDense("mini"), denseKind("mini", companion, 4), denseKind("mini", companion, 4, 4)),
    /mini was sent 8 rows, but the export was opened for 4/,
  ],
  ["a wrong width", instead(isDense("mini"), denseKind("mini", new Float32Array(12), 4)), /mini has 3 columns/],
  [
    "bytes that are no rows",
    instead(isDense("mini"), denseKind("mini", new Float32Array(7), 4)),
    /28 bytes for 4 rows/,
  ],
  [
    "a value that is not finite",
    instead(isDense("mini"), denseKind("mini", badRow, 4)),
    /Row 2 of mini holds a value that is not a finite number/,
  ],
  [
    "sparse lengths that do not add up",
    instead(isSparse("bm25"), { case: "sparse", value: { space: "bm25", rowLengths: [2], indices: [1], values: [1] } }),
    /promises 2 entries but has 1 indices/,
  ],
  [
    "sparse indices twice",
    instead(isSparse("bm25"), {
      case: "sparse",
      value: { space: "bm25", rowLengths: [2], indices: [1, 1], values: [1, 1] },
    }),
    /row 0 of bm25 do not increase/,
  ],
  ["a row number as id", instead(isCase("chunks"), chunk({ id: "7" })), /Chunk 0 has the id "7", which is not a UUID/],
  [
    "metadata that is a list",
    instead(isCase("chunks"), chunk({ metadataJson: "[]" })),
    /metadata of chunk 0 is not a JSON object/,
  ],
  [
    "a rerank line that is not JSON",
    instead(isCase("rerank"), { case: "rerank", value: { linesJson: ["{"] } }),
    /rerank line is not a JSON object/,
  ],
  [
    "rerank without having said so",
    () => [...content({ rerank: false }).slice(0, -1), { case: "rerank", value: { linesJson: ["{}"] } }],
    /opened without rerank/,
  ],
  [
    "a manifest before finish",
    instead(isCase("finish"), { case: "manifest", value: { json: manifestOf([]) } }),
    /before the export was finished/,
  ],
])("%s is refused by name and leaves nothing", async (_, kinds, message) => {
  await expect(send(kinds())).rejects.toMatchObject({
    codeName: "INVALID_ARGUMENT",
    message: expect.stringMatching(message),
  });
  await expect.poll(() => readdirSync(outputDir)).toEqual([]);
});

test.each<[string, (files: Files) => string, RegExp]>([
  ["no JSON", () => "{", /is not valid JSON/],
  ["another major version", (files) => manifestOf(files, { schema_version: "v5.0" }), /schema version v5.0/],
  ["another collection", (files) => manifestOf(files, { collection: "wiki" }), /is of 4 chunks of wiki/],
  [
    "another hash",
    (files) => manifestOf(files.map((file) => ({ ...file, sha256: "0".repeat(64) }))),
    /lists docs_embeddings.npy with another hash/,
  ],
])("a manifest of %s is refused, and the files of the run before stay whole", async (_, manifest, message) => {
  await send(content());
  const before = readdirSync(outputDir).map((name) => [name, sha256(name)]);
  await expect(send(content({ sparse: false }), manifest)).rejects.toMatchObject({
    codeName: "INVALID_ARGUMENT",
    message: expect.stringMatching(message),
  });
  await expect.poll(() => readdirSync(outputDir).map((name) => [name, sha256(name)])).toEqual(before);
});

/** An export that has sent all but finish and then waits, with its staging directory on disk. */
function waitingExport(signal: AbortSignal): Promise<unknown> {
  async function* requests(): AsyncGenerator<Request> {
    for (const kind of content().slice(0, -1)) yield { kind };
    await new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
  }
  return collect(client.export(requests(), { signal }));
}

test("a caller that cancels in the middle leaves nothing", async () => {
  const abort = new AbortController();
  const outcome = waitingExport(abort.signal).catch((error: unknown) => error);
  await expect.poll(() => readdirSync(outputDir)).toHaveLength(1);
  abort.abort();
  expect(await outcome).toMatchObject({ codeName: "CANCELLED" });
  await expect.poll(() => readdirSync(outputDir)).toEqual([]);
});

test("a second export into the same directory is refused while the first one runs", async () => {
  const abort = new AbortController();
  const outcome = waitingExport(abort.signal).catch((error: unknown) => error);
  await expect.poll(() => readdirSync(outputDir)).toHaveLength(1);
  await expect(send(content())).rejects.toMatchObject({
    codeName: "FAILED_PRECONDITION",
    message: expect.stringContaining("Another run is writing"),
  });
  abort.abort();
  await outcome;
  await expect.poll(() => readdirSync(outputDir)).toEqual([]);
});

test("an output directory that is a file is a sentence", async () => {
  const file = join(outputDir, "file");
  writeFileSync(file, "mine");
  await expect(send(content({ open: { outputDir: file } }))).rejects.toMatchObject({
    codeName: "FAILED_PRECONDITION",
    message: expect.stringContaining(`${file} cannot be made`),
  });
  expect(readFileSync(file, "utf8")).toBe("mine");
});

test("a file that cannot be replaced brings the older run back as it was", async () => {
  await send(content());
  const blocked = join(outputDir, "docs_rerank.jsonl");
  rmSync(blocked);
  mkdirSync(blocked);
  const hashes = () => readdirSync(outputDir).map((name) => [name, name === "docs_rerank.jsonl" ? "" : sha256(name)]);
  const before = hashes();
  await expect(send(content())).rejects.toMatchObject({
    codeName: "FAILED_PRECONDITION",
    message: expect.stringContaining("docs_rerank.jsonl is a directory"),
  });
  await expect.poll(() => hashes()).toEqual(before);
});

test.skipIf(!existsSync("/dev/full"))("a disk that fills up is a sentence and leaves nothing", async () => {
  const fill = (files: Files) => {
    const [staging = ""] = readdirSync(outputDir);
    symlinkSync("/dev/full", join(outputDir, staging, "processing_summary.json"));
    return manifestOf(files);
  };
  await expect(send(content(), fill)).rejects.toMatchObject({
    codeName: "RESOURCE_EXHAUSTED",
    reason: "DISK_FULL",
    message: expect.stringContaining("The disk is full"),
  });
  await expect.poll(() => readdirSync(outputDir)).toEqual([]);
});
