import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { directoryOf, manifestOf, runHere, type SharedServices, shareServices } from "./run-fixture.js";
import type { RunSettings } from "./run-settings.js";

let output: Awaited<ReturnType<typeof directoryOf>>;
let services: SharedServices;
/** One small model and no queries: these runs ask what happens to the inputs. */
let quick: Partial<RunSettings>;
beforeAll(async () => {
  output = await directoryOf({ "a-file": "in the way" });
  services = await shareServices("dense", "export");
  const { endpoints } = services;
  quick = {
    ensembleModels: ["all-miniLM-l6"],
    enableSparse: false,
    enableRerank: false,
    auditQueries: 0,
    report: false,
    endpoints,
  };
});
afterAll(async () => {
  await services.stop();
  await output.remove();
});

test("bad documents are named and counted, and the good one goes on", async () => {
  const input = await directoryOf({
    "good.md": "# Good\n\nA document with a sentence in it.\n",
    "empty.md": "",
    "blank.txt": " \n\t\n",
    "binary.txt": Uint8Array.of(0x89, 0, 1, 2, 0, 0xff),
    "latin1.md": Uint8Array.from(Buffer.from("# Stra\xdfe\n", "latin1")),
    "image.png": Uint8Array.of(0x89, 0x50, 0x4e, 0x47),
  });
  const outputDir = join(output.path, "documents");
  const { collections, degraded } = await runHere({ ...quick, input: [input.path], collections: ["docs"], outputDir });
  const skipped = Object.fromEntries(
    (collections[0]?.skippedInputs ?? []).map(({ path, reason }) => [path.slice(input.path.length + 1), reason]),
  );
  expect(skipped).toMatchObject({
    "empty.md": "empty",
    "binary.txt": "binary",
    "image.png": "unsupported",
  });
  expect(skipped["good.md"]).toBeUndefined();
  expect(degraded).toBe(true);
  const { inputs, skipped_inputs } = (await manifestOf(outputDir)) as {
    inputs: { path: string }[];
    skipped_inputs: unknown[];
  };
  expect(inputs.map(({ path }) => path)).toEqual(["good.md", "latin1.md"]);
  expect(skipped_inputs).toHaveLength(Object.keys(skipped).length);
  await input.remove();
});

test("bad chunk files and records are named and counted, and texts of 1 and of 1,000,000 characters go on", async () => {
  const chunk = (text: unknown, id: string) => ({ text, metadata: { chunk_id: id, custom: { kept: [1, 2] } } });
  const input = await directoryOf({
    "docs/good_chunks.json": JSON.stringify([
      chunk("x", "a-0001"),
      chunk("word ".repeat(200_000), "a-0002"),
      chunk("", "a-0003"),
      chunk("x", "a-0004"),
    ]),
    "docs/wrapped_chunks.json": JSON.stringify({ chunks: [chunk("a wrapped chunk", "b-0001")] }),
    "docs/cut_chunks.json": '[{"text": "never ends',
    "docs/number_chunks.json": JSON.stringify([chunk(7, "c-0001")]),
    "docs/empty_chunks.json": "",
  });
  const outputDir = join(output.path, "chunks");
  const { collections } = await runHere({ ...quick, chunkedDir: input.path, outputDir });
  const [collection] = collections;
  expect(collection?.collection).toBe("docs");
  expect(collection?.chunks).toBe(4);
  expect(collection?.skippedInputs.map(({ path }) => path.split("/").at(-1)).sort()).toEqual([
    "cut_chunks.json",
    "empty_chunks.json",
    "good_chunks.json",
    "number_chunks.json",
  ]);
  const points = (await readFile(join(outputDir, "docs_qdrant.jsonl"), "utf8"))
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as { id: string; payload: Record<string, unknown> });
  expect(new Set(points.map(({ id }) => id)).size).toBe(4);
  expect(points[0]?.payload.custom).toEqual({ kept: [1, 2] });
  expect(collection?.warnings.map(({ reason }) => reason)).toContain("text_truncated");
  await input.remove();
});

test("chunk ids that repeat are counted, and every chunk is kept", async () => {
  const chunk = (text: string) => ({ text, metadata: { chunk_id: "same-0001" } });
  const input = await directoryOf({ "docs/a_chunks.json": JSON.stringify([chunk("one text"), chunk("another text")]) });
  const { collections } = await runHere({ ...quick, chunkedDir: input.path, outputDir: join(output.path, "repeated") });
  expect(collections[0]?.chunks).toBe(2);
  expect(collections[0]?.warnings).toMatchObject([{ reason: "duplicate_id", degraded: false }]);
  await input.remove();
});

test("two collections cannot share a prefix or a manifest, and without one each has a directory of its own", async () => {
  const chunks = JSON.stringify([{ text: "one text", metadata: {} }]);
  const input = await directoryOf({ "a/x_chunks.json": chunks, "b/y_chunks.json": chunks });
  const outputDir = join(output.path, "two");
  await expect(runHere({ ...quick, chunkedDir: input.path, outputDir, exportPrefix: "p" })).rejects.toThrow(
    "--export-prefix fits one collection, but 2 are to be run",
  );
  await runHere({ ...quick, chunkedDir: input.path, outputDir });
  expect((await readdir(outputDir)).sort()).toEqual(["a", "b"]);
  expect((await manifestOf(join(outputDir, "b"))).collection).toBe("b");
  await input.remove();
});

test.each([
  ["nothing to do", {}, /give documents with --input/],
  ["both kinds of input", { input: ["."], chunkedDir: "." }, /not both/],
  ["an input that is not there", { input: ["/no/such/place"] }, /\/no\/such\/place does not exist/],
  [
    "an unknown dense model",
    { input: ["."], ensembleModels: ["bge-huge"] },
    /"bge-huge" is no dense model of the registry; choose one of: bge-small/,
  ],
  ["an unknown rerank model", { input: ["."], enableRerank: true, rerankModel: "nope" }, /"nope" is no rerank model/],
  [
    "an endpoint of no stage",
    { input: ["."], endpoints: ["fusion=localhost:1"] },
    /"fusion=localhost:1" is no endpoint/,
  ],
  ["a query file that is not there", { input: ["INPUT"], queries: "/no/queries.txt" }, /cannot read the queries/],
  ["a chunk prefix with a separator", { input: ["INPUT"], exportPrefix: "../evil" }, /prefix "\.\.\/evil"/],
])("%s is refused with what to do", async (_, settings, message) => {
  const input = await directoryOf({ "good.md": "# Good\n\nA document with a sentence in it.\n" });
  const given = Object.fromEntries(
    Object.entries(settings).map(([key, value]) => [key, JSON.stringify(value) === '["INPUT"]' ? [input.path] : value]),
  );
  const outputDir = join(output.path, "refused");
  await expect(runHere({ ...quick, ...given, outputDir })).rejects.toThrow(message);
  expect((await readdir(outputDir).catch(() => [])).filter((name) => !name.startsWith("."))).toEqual([]);
  await input.remove();
});

test("an output directory that is a file is refused by its path", async () => {
  const input = await directoryOf({ "good.md": "# Good\n\nA sentence.\n" });
  const outputDir = join(output.path, "a-file");
  await expect(runHere({ ...quick, input: [input.path], outputDir })).rejects.toThrow(
    `cannot use the output directory ${outputDir}: there is a file of that name`,
  );
  await expect(runHere({ ...quick, input: [input.path], outputDir: join(outputDir, "below") })).rejects.toThrow(
    "there is a file of that name",
  );
  await input.remove();
});

test("a directory without one usable document says so, and why", async () => {
  const input = await directoryOf({ "empty.md": "" });
  await expect(runHere({ ...quick, input: [input.path], outputDir: join(output.path, "none") })).rejects.toThrow(
    /no chunk came out of its sources \(1 skipped, the first because: .*empty\.md/,
  );
  await input.remove();
});

test("a dense endpoint that is down fails the run by name", async () => {
  const input = await directoryOf({ "good.md": "# Good\n\nA sentence.\n" });
  const run = runHere({
    ...quick,
    input: [input.path],
    outputDir: join(output.path, "down"),
    endpoints: ["dense=127.0.0.1:1"],
  });
  await expect(run).rejects.toThrow(/dense service at 127\.0\.0\.1:1 is not reachable/);
  await input.remove();
});

test("what a killed run left is removed by the next one", async () => {
  const input = await directoryOf({ "good.md": "# Good\n\nA sentence.\n" });
  const outputDir = join(output.path, "stale");
  await runHere({ ...quick, input: [input.path], outputDir });
  const stale = join(outputDir, ".ragline-run-999999999-dead");
  await mkdir(stale);
  await writeFile(join(stale, "chunks"), "left behind");
  await runHere({ ...quick, input: [input.path], outputDir });
  expect((await readdir(outputDir)).filter((name) => name.startsWith("."))).toEqual([]);
  await input.remove();
});
